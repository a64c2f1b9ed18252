import type { lookup } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { guardedLookup, type Networks, parseNetworks, usualNetworks } from './networks.ts';

const allowed = (list: string, ...addresses: readonly string[]) => addresses.filter((address) => parseNetworks(list)?.allows(address));

describe('where a declared request may go', () => {
  it('is anywhere but what is no host elsewhere, and never where a machine gets its credentials', () => {
    const receivers = ['93.184.216.34', '2606:4700::1111', '10.1.2.3', '127.0.0.1', '::1', '192.168.1.5', 'fd12::1', '100.64.0.9'];
    expect(allowed(usualNetworks, ...receivers)).toEqual(receivers);
    const metadata = ['169.254.169.254', 'fd00:ec2::254', '168.63.129.16', '100.100.100.200', 'fe80::1', 'fe80::1%eth0'];
    const nowhere = ['0.0.0.0', '::', '224.0.0.1', '255.255.255.255', 'ff02::1', '192.0.2.1', 'metadata', ''];
    expect(allowed(usualNetworks, ...metadata, ...nowhere)).toEqual([]);
  });

  it('sees through IPv4 addresses that are written as IPv6 ones', () => {
    const written = [
      '::ffff:169.254.169.254',
      '::ffff:a9fe:a9fe',
      '::169.254.169.254',
      '64:ff9b::a9fe:a9fe',
      '2002:a9fe:a9fe::1',
      '[::ffff:0:0]',
    ];
    expect(allowed(usualNetworks, ...written)).toEqual([]);
    expect(allowed('loopback', '::ffff:127.0.0.1', '::ffff:8.8.8.8')).toEqual(['::ffff:127.0.0.1']);
  });

  it('can be narrowed to what is public, and widened by a range', () => {
    const all = ['8.8.8.8', '127.0.0.1', '10.1.2.3', '10.2.0.1', '169.254.7.1'];
    expect(allowed('public', ...all)).toEqual(['8.8.8.8']);
    expect(allowed('public, 10.1.0.0/16', ...all)).toEqual(['8.8.8.8', '10.1.2.3']);
    expect(allowed('169.254.7.1', ...all)).toEqual(['169.254.7.1']);
  });

  it.each(['', 'everything', 'public,', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/', '::1/129', '1.2.3'])(
    'is not understood as %j',
    (list) => {
      expect(parseNetworks(list)).toBeUndefined();
    },
  );
});

const answers = (...addresses: string[]) =>
  ((_name: string, _options: unknown, callback: (error: null, found: object[]) => void) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )) as unknown as typeof lookup;
const found = (resolve: typeof lookup, all: boolean) =>
  new Promise((resolved) =>
    guardedLookup(parseNetworks(usualNetworks) as Networks, 'refused', resolve)('metrics.example', { all }, (error, address) =>
      resolved(error?.message ?? address),
    ),
  );

describe('the lookup of a name', () => {
  it.each([['169.254.169.254'], ['10.0.0.1', '169.254.169.254'], ['fe80::1'], []])(
    'is refused when it leads to %j',
    async (...addresses) => {
      expect(await found(answers(...addresses), true)).toBe('refused');
    },
  );

  it('is what the system says otherwise', async () => {
    expect(await found(answers('10.0.0.1', '::1'), false)).toBe('10.0.0.1');
    expect(await found(answers('10.0.0.1', '::1'), true)).toHaveLength(2);
  });
});
