import type { Json, JsonObject } from '../../digest/json.ts';
import type { OutputResolver } from '../../engine/output-resolver.ts';
import { outputExpressions } from '../../stack/interpolate.ts';
import type { KnownSecrets } from '../../secrets/known-secrets.ts';
import { codeFolder, scrub } from '../instance-spec.ts';
import { revisionOf, type ServiceState } from '../service-state.ts';
import { runCommand } from './command.ts';
import { askHttp } from './http-answer.ts';
import { askPrometheus } from './prometheus.ts';
import type { Ask, Measured, SourceSettings } from './source.ts';
import { inArgument, inQuery, inUrl, type TemplateValues } from './template.ts';

/** Measures a source for the candidate of a service. Never throws, and never takes much longer than its timeout. */
export type Measure = (state: ServiceState, source: SourceSettings) => Promise<Measured>;

const longestReason = 300;

export interface MeasureDependencies {
  readonly resolver: OutputResolver;
  /** Ends what is under way. */
  readonly stopping: AbortSignal;
  /** Takes out of what is said whatever secret is known, also one that the source was not given. */
  readonly secrets: Pick<KnownSecrets, 'scrub'>;
}

/** Interpolations get their values at that moment; nothing of them is ever in what is said. */
export function createMeasure({ resolver, stopping, secrets }: MeasureDependencies): Measure {
  return async (state, source) => {
    const values: string[] = [];
    const masked = (text: string): string => secrets.scrub(scrub(text, values));
    try {
      const declared = withValues(source.ask, templateValues(state));
      const expressions = outputExpressions(declared).map(({ text }, index) => [String(index), text] as const);
      values.push(...Object.values(await resolver.resolve(state.environment, Object.fromEntries(expressions))).map(asText));
      const ask = (await resolver.resolve(state.environment, declared)) as unknown as Ask;
      const measured = await made(state, { ...source, ask }, stopping);
      return measured.said === undefined ? measured : { ...measured, said: masked(measured.said) };
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      const reason = message === '' ? (code ?? 'it cannot be asked') : message;
      return {
        outcome: 'error',
        said: masked(reason)
          .replaceAll(/\p{Cc}/gu, ' ')
          .slice(0, longestReason),
      };
    }
  };
}

function asText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function made(state: ServiceState, { ask, ...limits }: SourceSettings, signal: AbortSignal): Promise<Measured> {
  switch (ask.type) {
    case 'prometheus':
      return askPrometheus(ask, limits, signal);
    case 'http':
      return askHttp(ask, limits, signal);
    case 'command':
      break;
  }
  const { release, stable, service, environment } = templateValues(state);
  const candidate = revisionOf(state, state.candidate?.generation);
  return runCommand({
    command: ask.command,
    directory: candidate ? codeFolder(candidate) : '',
    environment: {
      PATH: process.env['PATH'] ?? '',
      SLUICE_ENVIRONMENT: environment,
      SLUICE_SERVICE: service,
      SLUICE_RELEASE: release,
      SLUICE_STABLE_RELEASE: stable,
    },
    timeoutMs: limits.timeoutMs,
    signal,
  });
}

function templateValues(state: ServiceState): TemplateValues {
  return {
    release: revisionOf(state, state.candidate?.generation)?.release ?? '',
    stable: revisionOf(state, state.stable)?.release ?? '',
    service: state.name,
    environment: state.environment,
  };
}

/** Variables first, so that no value of an interpolation is taken for one. */
function withValues(ask: Ask, values: TemplateValues): JsonObject {
  if (ask.type === 'command') return { type: ask.type, command: ask.command.map((argument) => inArgument(argument, values)) };
  const url = inUrl(ask.url, values);
  return ask.type === 'prometheus' ? { ...ask, url, query: inQuery(ask.query, values) } : { ...ask, url };
}
