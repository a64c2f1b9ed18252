import type { Address } from '../stack/stack.ts';
import { localAddress } from './decide.ts';
import type { Plan } from './plan.ts';

/** What is recorded now and was not when the plan was made, in words. */
export function movedOn(plan: Pick<Plan, 'changes'>, versions: Iterable<{ readonly address: Address; readonly version: number }>): string {
  const then = new Map(
    plan.changes.flatMap(({ address, from, version }) => (version === undefined ? [] : [[from ?? address, version] as const])),
  );
  const now = new Map(Array.from(versions, ({ address, version }) => [address, version] as const));
  const changed = [...then].filter(([address, version]) => now.has(address) && now.get(address) !== version).map(([address]) => address);
  const gone = [...then.keys()].filter((address) => !now.has(address));
  const added = [...now.keys()].filter((address) => !then.has(address));
  const parts = [listed(changed, 'changed'), listed(gone, 'gone'), listed(added, 'new')].filter((part) => part !== '');
  return `the environment has changed since${parts.length === 0 ? '' : ` (${parts.join('; ')})`}`;
}

/** Parts of the stack that are no longer what they were, in words. */
export function changedBlocks(then: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): string {
  const changed = [...new Set([...Object.keys(then), ...Object.keys(now)])].filter((address) => then[address] !== now[address]);
  return `the stack has changed since${changed.length === 0 ? '' : ` (${listed(changed as Address[], 'changed')})`}`;
}

function listed(addresses: readonly Address[], what: string): string {
  if (addresses.length === 0) return '';
  const more = addresses.length > 5 ? ` and ${addresses.length - 5} more` : '';
  return `${what}: ${addresses.slice(0, 5).map(localAddress).join(', ')}${more}`;
}
