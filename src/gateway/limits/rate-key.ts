import { hash } from 'node:crypto';
import type { RequestHead } from '../http/downstream.ts';
import { fieldOf } from '../routing/request-unit.ts';
import type { RateLimitRoute } from '../routing-table.ts';

/** Longer keys are kept as their digest, so that nobody fills the memory with them. */
const longestKey = 64;

/**
 * Gives what a request is counted under. `caller` is the name of the calling service on the internal listener: there it is the client, too.
 * The public counts as one caller, and requests without the header as one key.
 */
export function rateKeyOf(rule: RateLimitRoute['key']): (head: RequestHead, caller: string | undefined) => string {
  if (rule.by === 'client') return (head, caller) => (caller === undefined ? networkOf(head.clientAddress) : `service ${caller}`);
  if (rule.by === 'caller') return (_head, caller) => caller ?? '';
  const name = rule.name.toLowerCase();
  return (head) => bounded(fieldOf(head.headers, name) ?? '');
}

function bounded(key: string): string {
  return key.length <= longestKey ? key : hash('sha256', key, 'base64');
}

/** The address itself for IPv4; for IPv6 its first 64 bits, of which one subscriber has all addresses. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const plain = address.split('%', 1)[0] as string;
  if (plain.includes('.')) return plain.slice(plain.lastIndexOf(':') + 1);
  const [head = '', tail] = plain.split('::', 2);
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
