import { describe, expect, it } from 'vitest';
import { cidr, ipAddress, parseCidr, parseIPv4, rangeContains } from './addresses.ts';
import { duration, parseDuration, parseDurationMs } from './duration.ts';
import { cpu, memory, parseCpuMillis, parseMemoryBytes } from './quantity.ts';
import { parseRatio, ratio } from './ratio.ts';
import { argv, hostName, semanticVersion, urlPath } from './text.ts';

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1m', 60_000],
    ['24h', 86_400_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['7d', 604_800_000],
  ])('%s is %i ms', (text, expected) => {
    expect(parseDurationMs(text)).toBe(expected);
    expect(duration().parse(text)).toBe(text);
  });

  it.each(['', '5', 'ms', '-1s', '1 s', '1y', '9999999d', `${'1'.repeat(40)}s`])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
    expect(() => parseDurationMs(text)).toThrow(RangeError);
    expect(duration().safeParse(text).success).toBe(false);
  });
});

describe('amounts', () => {
  it.each([
    ['250m', 250],
    ['2', 2000],
    ['0.5', 500],
    ['1.25', 1250],
  ])('%s of cpu is %i thousandths', (text, expected) => {
    expect(parseCpuMillis(text)).toBe(expected);
  });

  it.each([
    ['256Mi', 268_435_456],
    ['2Gi', 2_147_483_648],
    ['1G', 1_000_000_000],
    ['1024', 1024],
  ])('%s of memory is %i bytes', (text, expected) => {
    expect(parseMemoryBytes(text)).toBe(expected);
  });

  it('plain numbers are kept as text', () => {
    expect(cpu().parse(2)).toBe('2');
    expect(memory().parse(1024)).toBe('1024');
  });

  it.each(['0', '0m', '-1', '1.2345', '1Q', '', '1e3'])('%j is no amount', (text) => {
    expect(cpu().safeParse(text).success).toBe(false);
    expect(memory().safeParse(text).success).toBe(false);
  });
});

describe('ratios', () => {
  it('are factors of at least one', () => {
    expect(parseRatio('1.2x')).toBe(1.2);
    expect(ratio().safeParse('1.0x').success).toBe(true);
    for (const text of ['0.9x', '1.2', 'x', '101x']) expect(ratio().safeParse(text).success).toBe(false);
  });
});

describe('addresses', () => {
  it('ranges have a first and a last address', () => {
    expect(parseCidr('10.0.0.0/24')).toEqual({ first: 0x0a000000, last: 0x0a0000ff });
    expect(parseCidr('0.0.0.0/0')).toEqual({ first: 0, last: 0xffffffff });
    expect(rangeContains({ first: 0, last: 9 }, { first: 5, last: 9 })).toBe(true);
    expect(rangeContains({ first: 0, last: 9 }, { first: 5, last: 10 })).toBe(false);
  });

  it.each(['10.0.0.1/24', '10.0.0.0/33', '10.0.0/24', '10.0.0.0', '10.0.0.0/24/1', '010.0.0.0/8'])('%j is no range', (text) => {
    expect(parseCidr(text)).toBeUndefined();
    expect(cidr().safeParse(text).success).toBe(false);
  });

  it.each(['10.0.0.256', '10.0.0', '::1', '10.0.0.04'])('%j is no address', (text) => {
    expect(parseIPv4(text)).toBeUndefined();
    expect(ipAddress().safeParse(text).success).toBe(false);
  });
});

describe('texts with a form', () => {
  it.each([
    ['a version', semanticVersion(), ['1.0.0', '1.2.3-rc.1+build.5'], ['1.0', 'v1.0.0', '01.0.0', '1.0.0-']],
    ['a URL path', urlPath(), ['/', '/healthz', '/a/b.json'], ['healthz', '/a b', '/a?b', '']],
    ['a host name', hostName(), ['support.localhost', 'a'], ['Support', '-a', 'a..b', 'a_b', 'x'.repeat(64)]],
    [
      'a command',
      argv(),
      [
        ['node', 'server.ts'],
        ['a', ''],
      ],
      [[], [''], ['a\0'], 'node server.ts'],
    ],
  ])('%s', (_, schema, good, bad) => {
    const accepted = [...good, ...bad].filter((value) => schema.safeParse(value).success);
    expect(accepted).toEqual(good);
  });
});
