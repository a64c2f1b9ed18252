import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createReleaseRecords } from '../release/release-records.ts';
import { createKnownSecrets } from '../secrets/known-secrets.ts';
import type { ServiceState } from '../rollout/service-state.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { createReleaseDesk } from './release-desk.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-desk-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Two releases on record with their files, and no service that runs. */
async function desk(state?: Partial<ServiceState>) {
  const releases = createReleaseRecords(createMemoryStore());
  for (const number of state === undefined ? [1, 2] : [1, 2, 3]) {
    const directory = join(folder, String(number));
    await mkdir(join(directory, 'source'), { recursive: true });
    await writeFile(join(directory, 'source', 'a.js'), `const release = ${number};\nconst token = 'hunter2hunter2';\n`);
    if (number === 2) await chmod(join(directory, 'source', 'a.js'), 0o755);
    await releases.record('default', 'agent', {
      id: `r-00000000000${number}`,
      digest: `sha256:${number}`,
      service: 'default/service/agent',
      version: `1.${number}.0`,
      content: {
        source: `sha256:${number}`,
        command: ['node', 'a.js', '--token=hunter2hunter2'],
        environment: { KEY: '${secret.key}', N: `${number} hunter2hunter2` },
      },
      directory,
      createdAt: `2026-11-22T12:00:0${number}.000Z`,
    });
  }
  const secrets = createKnownSecrets();
  secrets.learn({ token: 'hunter2hunter2' });
  return createReleaseDesk({ controller: { stateOf: () => Promise.resolve(state as ServiceState | undefined) }, releases, secrets });
}

it('lists releases newest first, and shows each beside the one before it', async () => {
  const releases = await desk();
  const listed = await releases.list('default', 'agent');
  expect(listed.map(({ id, state }) => [id, state])).toEqual([
    ['r-000000000002', 'kept'],
    ['r-000000000001', 'kept'],
  ]);
  expect(await releases.get('default', 'agent', 'r-000000000002')).toMatchObject({
    before: 'r-000000000001',
    risk: { level: 'low' },
    words: ['version: 1.1.0 to 1.2.0 (minor)', 'code: 1 changed, +1 -1 lines: source/a.js', 'variable N: 1 *** to 2 ***'],
    content: {
      command: ['node', 'a.js', '--token=***'],
      environment: { KEY: '${secret.key}', N: '2 ***' },
      digests: { source: 'sha256:2' },
    },
  });
  const oldest = await releases.get('default', 'agent', 'r-000000000001');
  expect([oldest.before, oldest.risk]).toEqual([undefined, undefined]);
});

it('shows a release beside the one it replaced, and not beside a candidate that was taken back before it', async () => {
  const [first, second, third] = [1, 2, 3].map((number) => `r-00000000000${number}`);
  const about = { version: '1.0.0', strategy: 'canary', startedAt: 0, generation: 1 };
  const rollouts = [
    { ...about, release: third ?? '', from: first ?? '' },
    { ...about, release: second ?? '', from: first ?? '' },
  ];
  const releases = await desk({ rollouts, revisions: [] });
  expect(await releases.get('default', 'agent', third ?? '')).toMatchObject({ before: first });
  expect(await releases.compare('default', 'agent', { to: third ?? '' })).toMatchObject({ from: first, to: third });
});

it('compares two in either direction, and masks a secret that someone has written into the code', async () => {
  const releases = await desk();
  const { change } = await releases.compare('default', 'agent', { to: 'r-000000000002' });
  expect(change.files[0]?.diff).toContain('-const release = 1;');
  expect(JSON.stringify(change)).not.toContain('hunter2');
  const back = await releases.compare('default', 'agent', { from: 'r-000000000002', to: 'r-000000000001' });
  expect(back.words[0]).toBe('version: 1.2.0 to 1.1.0 (lower)');
});

it('says which service, release or comparison there is not', async () => {
  const releases = await desk();
  await expect(releases.list('default', 'other')).rejects.toMatchObject({ code: 'unknown_service' });
  await expect(releases.get('default', 'agent', 'r-ffffffffffff')).rejects.toMatchObject({ code: 'unknown_release' });
  await expect(releases.compare('default', 'agent', { to: 'r-000000000001' })).rejects.toMatchObject({ code: 'nothing_to_compare' });
});

it('tells an arm of the experiment under way from a release that is only kept', async () => {
  const arms = [1, 2, 3].map((number) => ({ name: `arm-${number}`, generation: number, release: `r-00000000000${number}`, weight: 10 }));
  const [first, second, third] = arms;
  const experiment = { arms: [first, { ...second, withdrawn: { reason: 'errors', at: 0 } }] };
  const candidate = { generation: 9, startedAt: 0, course: { experiment } } as unknown as ServiceState['candidate'];
  const releases = await desk({ revisions: [], ...(candidate && { candidate }) });
  const states = new Map((await releases.list('default', 'agent')).map(({ id, state }) => [id, state]));
  expect([first, second, third].map((arm) => states.get(arm?.release ?? ''))).toEqual(['arm', 'kept', 'kept']);
});

const rollout = (number: number, outcome: 'failed' | 'superseded') =>
  ({ generation: number, release: `r-00000000000${number}`, version: '1', strategy: 'rolling', startedAt: 1, outcome }) as const;

it('says of a release that never came into use how its last rollout ended, and of one that did that it is kept', async () => {
  const former = { release: 'r-000000000003' } as unknown as NonNullable<ServiceState['history']>[number];
  const state = { revisions: [], history: [former], rollouts: [rollout(3, 'failed'), rollout(2, 'superseded'), rollout(1, 'failed')] };
  const listed = await (await desk(state)).list('default', 'agent');
  expect(listed.map(({ state: shown }) => shown)).toEqual(['kept', 'superseded', 'failed']);
});
