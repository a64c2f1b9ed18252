import { createHash } from 'node:crypto';
import { freePort } from '../../../effects/ports.ts';

/**
 * The machine's own loopback address: the last three octets of its private address behind 127 (10.0.0.4 -> 127.0.0.4), so that people
 * recognise it. Another second octet is taken when that one is in use by another machine, or is the address everything else listens on.
 */
export function loopbackFor(privateIp: string, taken: ReadonlySet<string>): string {
  const [, second = 0, third = 0, fourth = 0] = privateIp.split('.').map(Number);
  for (let step = 0; step < 256; step += 1) {
    const address = `127.${(second + step) % 256}.${third}.${fourth}`;
    if (isMachineAddress(address) && !taken.has(address)) return address;
  }
  return loopbackFor(`10.${second}.${(third + 1) % 256}.${fourth === 0 || fourth === 255 ? 4 : fourth}`, taken);
}

/** The private address of a machine that declares none: taken from 10.255.0.0/16 by its id. */
export function privateIpFor(id: string): string {
  const hash = createHash('sha256').update(id).digest().readUInt16BE(0);
  return `10.255.${hash % 256}.${4 + ((hash >> 8) % 250)}`;
}

/** Whether programs can listen on the address here. Linux has all of 127.0.0.0/8; macOS has 127.0.0.1 alone unless told otherwise. */
export async function canListenOn(address: string): Promise<boolean> {
  return freePort(address).then(
    () => true,
    () => false,
  );
}

function isMachineAddress(address: string): boolean {
  return address !== '127.0.0.1' && !address.endsWith('.0.0.0') && !address.endsWith('.255.255.255');
}
