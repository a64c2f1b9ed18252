import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature } from '@openfeature/server-sdk';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../effects/clock.ts';
import { until } from '../../testing/conditions.ts';
import { createFlagWorld } from '../testdata/flag-world.ts';

const actor = { key: 'key-1', name: 'ann', role: 'operator' } as const;

describe('the OpenFeature SDK for servers', () => {
  it('evaluates every type, rules, splits and errors, and its evaluations are told apart by release', async () => {
    const world = await createFlagWorld();
    await world.declare('production', {
      name: 'cite',
      variants: { on: true, off: false },
      default: 'off',
      rules: [
        { when: { plan: 'pro' }, serve: 'on' },
        { split: { on: 30, off: 70 }, by: 'user' },
      ],
    });
    await world.declare('production', { name: 'model', variants: { small: 'm-1', large: 'm-2' }, default: 'small' });
    await world.declare('production', { name: 'top', variants: { few: 3, many: 8.5 }, default: 'many' });
    await world.declare('production', { name: 'limits', variants: { all: { tokens: 100, tools: ['a'] } }, default: 'all' });
    const token = await world.service('production', 'agent', ['r-1', 'r-2']);
    const provider = (release: string) =>
      new OFREPProvider({
        baseUrl: world.url,
        headers: [
          ['Authorization', `Bearer ${token}`],
          ['X-Sluice-Release', release],
        ],
      });
    await OpenFeature.setProviderAndWait('stable', provider('r-1'));
    await OpenFeature.setProviderAndWait('candidate', provider('r-2'));
    onTestFinished(() => OpenFeature.clearProviders());
    const client = OpenFeature.getClient('stable');

    expect(await client.getBooleanDetails('cite', false, { targetingKey: 'u', plan: 'pro' })).toMatchObject({
      value: true,
      variant: 'on',
      reason: 'TARGETING_MATCH',
      flagMetadata: { flagSetId: 'production', matched: '1' },
    });
    expect(await client.getStringValue('model', 'x')).toBe('m-1');
    expect(await client.getNumberValue('top', 0)).toBe(8.5);
    expect(await client.getObjectValue('limits', {})).toEqual({ tokens: 100, tools: ['a'] });
    expect(await client.getBooleanDetails('cite', false)).toMatchObject({ value: false, errorCode: 'TARGETING_KEY_MISSING' });
    expect(await client.getBooleanDetails('none', true)).toMatchObject({ value: true, errorCode: 'FLAG_NOT_FOUND' });
    expect(await client.getStringDetails('cite', 'x', { targetingKey: 'u' })).toMatchObject({ value: 'x', errorCode: 'TYPE_MISMATCH' });

    const sides = async () =>
      Promise.all(Array.from({ length: 100 }, (_, user) => client.getBooleanDetails('cite', false, { targetingKey: `u${user}` })));
    const first = await sides();
    expect(new Set(first.map(({ reason }) => reason))).toEqual(new Set(['SPLIT']));
    const inside = first.filter(({ value }) => value).length;
    expect(inside).toBeGreaterThan(10);
    expect(inside).toBeLessThan(55);
    expect(await sides()).toEqual(first);
    // By its own word an instance is of one of its service's releases; no other one is counted for.
    await OpenFeature.getClient('candidate').getStringValue('model', 'x');
    await OpenFeature.setProviderAndWait('liar', provider('r-9'));
    await OpenFeature.getClient('liar').getStringValue('model', 'x');
    const uses = (await world.api.flagParts.desk.get('production', 'model')).usage.uses.map(({ service, release, evaluations }) => [
      service,
      release,
      evaluations,
    ]);
    expect(new Set(uses.map((use) => use.join(' ')))).toEqual(new Set(['agent r-1 1', 'agent r-2 1', 'agent  1']));
    expect((await world.api.flagParts.desk.get('production', 'cite')).usage).toMatchObject({ errors: 1, evaluations: 202 });

    await world.api.flagParts.desk.kill('production', 'cite', { actor, reason: 'wrong' });
    expect(await client.getBooleanDetails('cite', true, { targetingKey: 'u', plan: 'pro' })).toMatchObject({
      value: false,
      reason: 'DISABLED',
    });
  });
});

describe('the OpenFeature SDK for browsers', () => {
  it('holds all flags, hears of a kill by its stream and has the new value in less than a second, or by polling', async () => {
    const world = await createFlagWorld();
    await world.declare('production', {
      name: 'cite',
      variants: { on: true, off: false },
      default: 'off',
      rules: [{ when: { plan: 'pro' }, serve: 'on' }],
    });
    const { key } = await world.api.keyring.create('admin', { name: 'web', role: 'evaluator', environment: 'production' });
    const program = fileURLToPath(new URL('../testdata/web-client.ts', import.meta.url));
    // A process of its own: where a browser has EventSource, Node asks for a flag.
    const child = spawn(process.execPath, ['--experimental-eventsource', '--no-warnings', program, world.url, key], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines: { value: unknown; polled: unknown; at: number }[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as (typeof lines)[number]));
    await until('the first value', () => lines.length > 0 && lines.at(-1)?.value === true);

    for (const [change, wanted] of [
      ['kill', false],
      ['clear', true],
      ['kill', false],
    ] as const) {
      const before = systemClock.now();
      await world.api.flagParts.desk[change]('production', 'cite', { actor });
      const seen = await until(`${change} in the client`, () => lines.find(({ value, at }) => value === wanted && at >= before));
      // On an idle machine some 20 ms; twice the promise leaves room for one that is not.
      expect(seen.at - before).toBeLessThan(2_000);
      await until(`${change} in the client that polls`, () => lines.find(({ polled, at }) => polled === wanted && at >= before));
    }
  });
});
