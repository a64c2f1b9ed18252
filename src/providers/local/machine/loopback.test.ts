import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canListenOn, loopbackFor, privateIpFor } from './loopback.ts';

describe('the loopback address of a machine', () => {
  it('has the last three octets of its private address', () => {
    expect(loopbackFor('10.0.0.4', new Set())).toBe('127.0.0.4');
    expect(loopbackFor('192.168.7.20', new Set())).toBe('127.168.7.20');
  });

  it('is never the address that everything else listens on', () => {
    expect(loopbackFor('10.0.0.1', new Set())).toBe('127.1.0.1');
  });

  it('is not that of another machine', () => {
    expect(loopbackFor('10.0.0.4', new Set(['127.0.0.4', '127.1.0.4']))).toBe('127.2.0.4');
  });

  it('is a usable address of 127.0.0.0/8 and nobody else has it, whatever the private one', () => {
    fc.assert(
      fc.property(fc.array(fc.ipV4(), { minLength: 1, maxLength: 40 }), (addresses) => {
        const taken = new Set<string>();
        for (const address of addresses) {
          const own = loopbackFor(address, taken);
          expect(own).toMatch(/^127(\.\d{1,3}){3}$/);
          expect(taken.has(own)).toBe(false);
          expect(['127.0.0.0', '127.0.0.1', '127.255.255.255']).not.toContain(own);
          taken.add(own);
        }
      }),
    );
  });

  it('comes from an address made up from the id when none is declared', () => {
    expect(privateIpFor('virtual_machine-a-1')).toMatch(/^10\.255\.\d+\.\d+$/);
    expect(privateIpFor('virtual_machine-a-1')).toBe(privateIpFor('virtual_machine-a-1'));
  });

  it('is found out to be usable or not by trying', async () => {
    expect(await canListenOn('127.0.0.1')).toBe(true);
    expect(await canListenOn('203.0.113.7')).toBe(false);
  });
});
