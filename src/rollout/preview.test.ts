import { describe, expect, it } from 'vitest';
import { rollout } from '../stack/kinds/service/rollout.ts';
import { rolloutInWords } from './rollout-in-words.ts';
import { rolloutSettings } from './rollout-settings.ts';
import { statusOf } from './service-status.ts';
import type { Measured, Measurement } from './sources/source.ts';
import { world } from './testdata/staged-world.ts';

const quality = { name: 'quality', http: { url: 'http://127.0.0.1:8100/scores/$release', value: '/score' }, at_least: 0.8 };
const failed: Measured = { outcome: 'fail', value: 0.4 };
const passed: Measured = { outcome: 'pass', value: 0.9 };

describe('the preview of blue/green', () => {
  it('brings up the whole second set, gives it no user, and waits for somebody to agree', () => {
    const settings = rolloutSettings(rollout.parse({ strategy: 'blue_green', preview: { approval: true }, keep_previous: '1m' }));
    expect(rolloutInWords(settings)).toMatch(/^a whole second set, then previewed until promoted, then 100 %/);
    const { deploy, pass, operate, weights, live, state } = world(settings);
    deploy('r-2');
    pass(60_000);
    expect([weights(), live('r-2')]).toEqual([{ 'r-1': 100, 'r-2': 0 }, 4]);
    expect(state().candidate?.paused?.reason).toBe('waits for approval');
    operate({ type: 'promote', full: false });
    expect(weights()).toEqual({ 'r-1': 0, 'r-2': 100 });
    expect(state().candidate).toBeUndefined();
  });

  it('has a host of its own from when the candidate is ready until the switch, and no longer', () => {
    const declared = rollout.parse({ strategy: 'blue_green', preview: { host: 'preview.test', approval: true }, keep_previous: '1m' });
    expect(rolloutInWords(rolloutSettings(declared))).toMatch(/then previewed at preview.test until promoted, then 100 %/);
    const { deploy, operate, route, state, trouble, settle, told } = world(rolloutSettings(declared));
    const hosts = () => route()?.expose.map(({ host, release }) => [host, release]);
    const before = hosts();
    trouble.starts = false;
    deploy('r-2');
    expect(hosts()).toEqual(before);
    operate({ type: 'abort' });
    trouble.starts = true;
    deploy('r-3');
    expect(hosts()).toEqual([...(before ?? []), ['preview.test', 'r-3']]);
    expect(statusOf(state(), 'http://127.0.0.1:7080', 0).preview).toBe('http://preview.test:7080/');
    operate({ type: 'promote', full: false });
    expect([hosts(), state().stable]).toEqual([before, 3]);
    settle();
    const routes = told.flatMap((command) => (command.type === 'publish' ? [command.route] : []));
    const shared = routes.filter(({ expose, backends }) =>
      expose.some(({ release }) => backends.some((backend) => backend.release === release && backend.weight > 0)),
    );
    expect(shared).toEqual([]);
  });

  it.each([
    ['the preview', rolloutSettings(rollout.parse({ strategy: 'blue_green', preview: { approval: true } }))],
    ['a step without users', rolloutSettings(rollout.parse({ strategy: 'canary', steps: [{ weight: 0, approval: true }] }))],
  ])('lets nobody into %s before it stands ready, and is taken back when it never does', (_, settings) => {
    const { deploy, pass, state, trouble } = world(settings);
    trouble.starts = false;
    deploy('r-2');
    expect(state().candidate?.course?.inForceSince).toBeUndefined();
    pass(settings.progressDeadlineMs);
    expect([state().candidate, state().failure?.reason]).toEqual([undefined, expect.stringMatching(/^it made no progress for 120 s/)]);
  });

  it('does not begin before the smoke check has passed', () => {
    const preview = { approval: true, host: 'preview.localhost' };
    const settings = rolloutSettings(rollout.parse({ strategy: 'blue_green', smoke: { path: '/healthz' }, preview }));
    const { deploy, state, trouble, settle, told } = world(settings);
    deploy('r-2');
    expect(state().candidate?.course?.inForceSince).toBeUndefined();
    expect(told.findLast(({ type }) => type === 'smoke')).toMatchObject({
      routes: [
        { host: 'agent.localhost', headers: { 'x-sluice-release': 'r-2' } },
        { host: 'preview.localhost', headers: {} },
      ],
    });
    trouble.extra = { smoke: { outcome: 'passed' } };
    settle();
    expect(state().candidate?.paused?.reason).toBe('waits for approval');
  });

  it.each([
    ['switches once its checks have passed', passed, { 'r-2': 100 }],
    ['is taken back, met by no user, when a check fails', failed, { 'r-1': 100 }],
  ] as const)('%s', (_, measured, shares) => {
    const preview = { for: '10s', metrics: [quality] };
    const { deploy, pass, trouble, told, weights, settle } = world(rolloutSettings(rollout.parse({ strategy: 'blue_green', preview })));
    deploy('r-2');
    const measurements = new Map<string, Measurement>();
    for (let second = 0; second < 200; second += 1) {
      for (const command of told.splice(0)) {
        if (command.type === 'measure') measurements.set(command.key, { at: second * 1_000, measured });
      }
      trouble.extra = { measurements: measurements };
      settle();
      pass(1_000);
    }
    expect(weights()).toEqual(shares);
  });
});
