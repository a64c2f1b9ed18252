import { isIPv6 } from 'node:net';

/** What the beginning of a connection says about whose it is; `length`: bytes of the header, after which the client's own begin. */
export type ProxyHeader =
  | { readonly outcome: 'address'; readonly address: string; readonly length: number }
  | { readonly outcome: 'incomplete' }
  | { readonly outcome: 'invalid' };

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixedBytes = 16;
const proxied = 0x21;
/** Of the sender's address, by family and transport. */
const addresses: ReadonlyMap<number, { readonly bytes: number; readonly total: number }> = new Map([
  [0x11, { bytes: 4, total: 12 }],
  [0x21, { bytes: 16, total: 36 }],
]);

/** Reads version 2 of the PROXY protocol over TCP (HAProxy Technologies, proxy-protocol.txt, section 2.2). What else there is, is invalid. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const known = Math.min(bytes.length, signature.length);
  if (bytes.compare(signature, 0, known, 0, known) !== 0) return { outcome: 'invalid' };
  if (bytes.length < fixedBytes) return { outcome: 'incomplete' };
  const address = addresses.get(bytes.readUInt8(13));
  const more = bytes.readUInt16BE(14);
  if (bytes.readUInt8(12) !== proxied || address === undefined || more < address.total) return { outcome: 'invalid' };
  if (bytes.length < fixedBytes + more) return { outcome: 'incomplete' };
  const source = bytes.subarray(fixedBytes, fixedBytes + address.bytes);
  return { outcome: 'address', address: address.bytes === 4 ? source.join('.') : ipv6(source), length: fixedBytes + more };
}

function ipv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_each, index) => bytes.readUInt16BE(index * 2).toString(16));
  // The URL parser writes an address as RFC 5952 wants it.
  const text = new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
  return isIPv6(text) ? text : groups.join(':');
}
