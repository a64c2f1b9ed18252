import { expect, test } from 'vitest';
import { readProxyHeader } from './proxy-header.ts';

const signature = '0d0a0d0a000d0a515549540a';
const header = (hex: string): Buffer => Buffer.from(`${signature}${hex}`, 'hex');
const overIpv4 = header('2111000cc00002017f000001d4310050');

test('the address a connection comes from is read, and what follows the header is not its', () => {
  expect(readProxyHeader(Buffer.concat([overIpv4, Buffer.from('GET')]))).toEqual({ outcome: 'address', address: '192.0.2.1', length: 28 });
  const overIpv6 = header(`2121002420010db8000000000000000000000001${'0'.repeat(31)}1d4310050`);
  expect(readProxyHeader(overIpv6)).toEqual({ outcome: 'address', address: '2001:db8::1', length: 52 });
});

test('an extension after the addresses belongs to the header', () => {
  expect(readProxyHeader(header('21110010c00002017f000001d431005004000100'))).toMatchObject({ length: 32 });
});

test('as long as a part is missing it is incomplete', () => {
  for (let length = 0; length < 28; length += 1) expect(readProxyHeader(overIpv4.subarray(0, length)).outcome).toBe('incomplete');
});

test.each([
  ['a request', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['version 1', Buffer.from('PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n')],
  ['a connection of the proxy itself', header('2000000000')],
  ['an address of a unix socket', header(`213100d8${'00'.repeat(216)}`)],
  ['less than an address', header('21110004c0000201')],
])('%s is invalid', (_what, bytes) => {
  expect(readProxyHeader(bytes)).toEqual({ outcome: 'invalid' });
});
