import type { Digest } from '../digest/digest.ts';
import type { JsonObject } from '../digest/json.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { DependencyValue } from '../plan/inputs.ts';
import type { ReferencedResource } from '../providers/provider.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { Vault } from '../secrets/vault.ts';
import { interpolateFields, type OutputExpression, outputExpressions } from '../stack/interpolate.ts';
import type { Address, ResolvedBlock } from '../stack/stack.ts';
import { digestIdentity, digestOutput, openOutput, openOutputs, outputOf } from './outputs.ts';

export type StateLookup = (address: Address) => ResourceState | undefined;

/** Everything a block takes from others, each with the digest of its present value where there is one. */
export function dependencyValues(block: ResolvedBlock, stateOf: StateLookup, vault: Vault): readonly DependencyValue[] {
  const texts = new Map(outputExpressions(block.fields).map((expression) => [outputKey(expression), expression.text]));
  const values: DependencyValue[] = [];
  for (const { path, kind, name, address, output, ordering } of block.references) {
    const state = stateOf(address);
    if (output !== undefined) {
      const key = texts.get(outputKey({ kind, name, output })) ?? `\${${kind}.${name}.${output}}`;
      const stored = outputOf(state, output);
      values.push({ path, reads: 'output', key, address, ...(stored && { digest: digestOutput(stored, vault) }) });
    } else if (ordering) {
      const digest = state === undefined || state.id === '' ? undefined : digestIdentity(state);
      values.push({ path, reads: 'identity', key: address, address, ...(digest && { digest }) });
    }
  }
  return values;
}

/** What `ResourceState.resolved` keeps of these values. */
export function resolvedDigests(values: readonly DependencyValue[]): Readonly<Record<string, Digest>> {
  const known = values.flatMap(({ key, digest }): [string, Digest][] => (digest === undefined ? [] : [[key, digest]]));
  return Object.fromEntries(known);
}

/**
 * `fields` with every interpolation replaced by its value, secrets opened: for use, never for storage or messages. Throws
 * `output_unavailable` naming the expression.
 */
export function resolveFields(environment: string, fields: JsonObject, stateOf: StateLookup, vault: Vault): JsonObject {
  return interpolateFields(fields, ({ kind, name, output, text }) => {
    const state = stateOf(`${environment}/${kind}/${name}`);
    const stored = outputOf(state, output);
    if (stored !== undefined) return openOutput(stored, vault);
    const reason =
      state === undefined ? `there is no ${kind} '${name}' in ${environment}` : `the ${kind} '${name}' has no output '${output}'`;
    throw sluiceError('output_unavailable', { expression: text, reason });
  });
}

/** The existing resources a block refers to, with opened outputs. */
export function referencedResources(block: ResolvedBlock, stateOf: StateLookup, vault: Vault): ReadonlyMap<Address, ReferencedResource> {
  const found = new Map<Address, ReferencedResource>();
  for (const { address } of block.references) {
    const state = found.has(address) ? undefined : stateOf(address);
    if (state === undefined || state.id === '') continue;
    const { kind, name, id, declared } = state;
    found.set(address, { address, kind, name, id, declared, outputs: openOutputs(state.outputs, vault) });
  }
  return found;
}

function outputKey({ kind, name, output }: Pick<OutputExpression, 'kind' | 'name' | 'output'>): string {
  return `${kind}/${name}/${output}`;
}
