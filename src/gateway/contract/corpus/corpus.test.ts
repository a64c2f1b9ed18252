import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../../testing/conditions.ts';
import { createLoad } from '../../testing/load.ts';
import { portOf } from '../../testing/raw-client.ts';
import { backend, createRig, type Rig } from '../../testing/rig.ts';
import { corpus } from './corpus.ts';
import { createRecordingUpstream } from './recording-upstream.ts';
import { runCorpus } from './run-corpus.ts';

let rig: Rig;
const upstream = createRecordingUpstream();

beforeAll(async () => {
  rig = await createRig({ requestHeadMs: 1_000, bodyIdleMs: 1_000 });
  await rig.route({ backends: [backend('r1', 1, { a: await portOf(upstream.server) })] });
});
afterAll(async () => {
  await rig.close();
  upstream.server.close();
});

describe('the corpus of malformed HTTP', () => {
  test('has at least 500 cases, each with a name of its own', () => {
    expect(corpus.length).toBeGreaterThanOrEqual(500);
    expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length);
  });

  test('each case meets its fate, nothing is smuggled to an instance, and another client notices nothing', async () => {
    const others = createLoad(rig.publicPort, { clients: 1, path: '/other' });
    const verdicts = await runCorpus(rig.publicPort, upstream, corpus);
    const failures = await others.stop();
    expect(verdicts.filter(({ complaint }) => complaint !== undefined)).toEqual([]);
    expect(upstream.faults).toEqual([]);
    expect(failures).toEqual([]);
    expect(others.answered()).toBeGreaterThan(10);
    await until('nothing to be left', () => rig.gateway.report().inFlight === 0);
  });
});
