import { type Problem, problem } from '../errors/sluice-error.ts';
import { isJsonObject, type Json, type JsonObject } from '../digest/json.ts';
import type { Drift } from '../providers/provider.ts';
import type { Address } from '../stack/stack.ts';
import type { Decision } from './decide.ts';
import type { RecordedResource } from './inputs.ts';
import { maskField } from './mask.ts';

/** What a record would have to say so that it agrees with what is there. What a record has no place for ("not running") is only warned about. */
export function decideRefresh({ state, observation }: RecordedResource): {
  readonly decision: Decision;
  readonly notes: readonly Problem[];
} {
  const { address } = state;
  if (observation === undefined) return { decision: unchanged, notes: [] };
  if (observation.status === 'absent') {
    return { decision: { action: 'refresh', reason: 'no longer there: its record goes', fields: [] }, notes: [] };
  }
  const [kept, noted] = [
    observation.drift.filter((drift) => recordable(state.declared, drift)),
    observation.drift.filter((drift) => drift.because === undefined && !recordable(state.declared, drift)),
  ];
  const notes = noted.map(({ field, observed }) => notRecorded(address, field, maskField(state.kind, field, observed)));
  if (kept.length === 0) return { decision: unchanged, notes };
  const fields = kept.map(({ field: path, applied, observed }) => ({
    path,
    before: maskField(state.kind, path, applied),
    after: maskField(state.kind, path, observed),
    forcesReplacement: false,
    origin: 'drift' as const,
  }));
  return { decision: { action: 'refresh', reason: 'changed outside', fields }, notes };
}

const unchanged: Decision = { action: 'none', reason: '', fields: [] };

function notRecorded(address: Address, field: string, observed: Json): Problem {
  return problem('drift_not_recorded', { address, field, observed: JSON.stringify(observed) }, { severity: 'warning', address });
}

function recordable(declared: JsonObject, { field }: Drift): boolean {
  return field.startsWith('outputs.') || leafAt(declared, field.split('.')) !== undefined;
}

function leafAt(value: Json | undefined, steps: readonly string[]): Json | undefined {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  return isJsonObject(value) && Object.hasOwn(value, step) ? leafAt(value[step], rest) : undefined;
}

/** `declared` with what was observed at every field that differs and has a place in it. */
export function withObserved(declared: JsonObject, drift: readonly Drift[]): JsonObject {
  return drift
    .filter((one) => !one.field.startsWith('outputs.') && recordable(declared, one))
    .reduce((fields, { field, observed }) => put(fields, field.split('.'), observed), declared);
}

function put(fields: JsonObject, [step = '', ...rest]: readonly string[], value: Json): JsonObject {
  const inner = fields[step];
  return { ...fields, [step]: rest.length > 0 && isJsonObject(inner) ? put(inner, rest, value) : value };
}
