import { type Digest, digestJson } from '../digest/digest.ts';
import type { JsonObject } from '../digest/json.ts';
import type { Address, ResolvedStack } from '../stack/stack.ts';

/** Digest of what a stack asks for in one environment, the content its fields name included. Independent of the order of its blocks. */
export function digestStack(stack: ResolvedStack, fingerprints: ReadonlyMap<Address, JsonObject>): Digest {
  const blocks = stack.blocks.map(({ address, fields }) => [address, { fields, fingerprint: fingerprints.get(address) ?? {} }] as const);
  const { name, provider } = stack.environment;
  const moved = stack.moved?.map(({ kind, from, to }) => [kind, from, to]);
  const policies = stack.policies?.map(
    ({ name, effect, message, match, when }) => ({ name, effect, message, match, when }) as unknown as JsonObject,
  );
  return digestJson({
    environment: name,
    provider,
    blocks: Object.fromEntries(blocks),
    ...(moved && { moved }),
    ...(policies && { policies }),
  });
}

/** Digest over which resources are recorded and how often each record was written. */
export function digestStates(recorded: Iterable<{ readonly address: Address; readonly version: number }>): Digest {
  return digestJson(Object.fromEntries(Array.from(recorded, ({ address, version }) => [address, version])));
}
