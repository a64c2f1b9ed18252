import { isIPv4 } from 'node:net';
import { z } from 'zod';

export interface AddressRange {
  /** First and last address as unsigned 32-bit numbers. */
  readonly first: number;
  readonly last: number;
}

/** An IPv4 address as an unsigned 32-bit number; undefined when it is none. */
export function parseIPv4(text: string): number | undefined {
  if (!isIPv4(text)) return undefined;
  return text.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

/** The addresses of `10.0.0.0/16`; undefined when it is no range, or when bits beyond the prefix are set. */
export function parseCidr(text: string): AddressRange | undefined {
  const [address = '', prefix = '', rest] = text.split('/');
  const first = parseIPv4(address);
  if (first === undefined || rest !== undefined || !/^(\d|[12]\d|3[0-2])$/.test(prefix)) return undefined;
  const size = 2 ** (32 - Number(prefix));
  return first % size === 0 ? { first, last: first + size - 1 } : undefined;
}

export function rangeContains(outer: AddressRange, inner: AddressRange): boolean {
  return outer.first <= inner.first && inner.last <= outer.last;
}

/** An IPv4 range in CIDR notation whose address is the first of the range. */
export function cidr() {
  return z
    .string()
    .regex(/^[0-9.]+\/[0-9]+$/, { error: 'an IPv4 range such as 10.0.0.0/16', abort: true })
    .refine((text) => parseCidr(text) !== undefined, { error: 'an IPv4 range such as 10.0.0.0/16, with no bits set after the prefix' })
    .meta({ 'x-type': 'CIDR' });
}

export function ipAddress() {
  return z
    .string()
    .regex(/^[0-9.]+$/, { error: 'an IPv4 address such as 10.0.0.4', abort: true })
    .refine((text) => parseIPv4(text) !== undefined, { error: 'an IPv4 address such as 10.0.0.4' })
    .meta({ 'x-type': 'IPv4 address' });
}
