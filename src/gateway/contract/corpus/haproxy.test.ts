import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../../../testing/requires.ts';
import { openPlane, releasesOf } from '../../haproxy/testing/open-plane.ts';
import { ask, portOf } from '../../testing/raw-client.ts';
import { backend } from '../../testing/rig.ts';
import { haproxyCapabilities } from '../haproxy-capabilities.ts';
import type { GatewayUnderTest } from '../gateway-under-test.ts';
import { planeKind } from '../plane-kind.ts';
import { corpus } from './corpus.ts';
import { haproxyDifferences } from './haproxy-differences.ts';
import { createRecordingUpstream } from './recording-upstream.ts';
import { runCorpus } from './run-corpus.ts';

/** What is declared to be left open is not waited for. */
const openMs = 1_000;

describeWith('haproxy', 'the corpus of malformed HTTP through HAProxy', (binary) => {
  let gateway: GatewayUnderTest;
  const upstream = createRecordingUpstream();

  beforeAll(async () => {
    const kind = planeKind('haproxy', haproxyCapabilities, async (limits) => {
      const folder = await mkdtemp(join(tmpdir(), 'sluice-haproxy-'));
      const plane = await openPlane(binary, folder, limits, { threads: 2 });
      return { plane, counts: () => releasesOf(plane), remove: () => rm(folder, { recursive: true, force: true }) };
    });
    gateway = await kind.create({ requestHeadMs: 1_000, bodyIdleMs: 1_000 });
    await gateway.route({ backends: [backend('r1', 1, { a: await portOf(upstream.server) })] });
  });
  afterAll(async () => {
    await gateway.close();
    upstream.server.close();
  });

  test('each case meets its fate but for what is declared, and whatever an instance gets has one reading', async () => {
    const verdicts = await runCorpus(gateway.publicPort, upstream, corpus, openMs);
    const others = verdicts.filter(({ complaint }) => complaint !== undefined);
    const isDeclared = (name: string): boolean => haproxyDifferences.some(({ cases }) => cases.test(name));
    expect(others.filter(({ name }) => !isDeclared(name))).toEqual([]);
    expect(haproxyDifferences.filter(({ cases }) => !others.some(({ name }) => cases.test(name)))).toEqual([]);
    // Trailers go through as they are: the recording instance is as strict with them as the embedded plane.
    expect(upstream.faults.filter((fault) => !fault.startsWith('broken chunks after '))).toEqual([]);
    expect((await ask(gateway.publicPort, { path: '/after' })).status).toBe(200);
  });
});
