import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OutputResolver } from '../../engine/output-resolver.ts';
import { interpolateFields } from '../../stack/interpolate.ts';
import { type Answering, answering } from '../../testing/answering.ts';
import { withDesired, newService } from '../desired-state.ts';
import { desiredRelease } from '../simulation/desired-release.ts';
import { createMeasure } from './measure.ts';
import type { Ask, SourceSettings } from './source.ts';

const secret = 'hunter2-hunter2';
const resolver: OutputResolver = {
  resolve: async (_environment, fields) => interpolateFields(fields, () => secret),
};
const secrets = { scrub: (text: string) => text.replaceAll('kept-elsewhere', '***') };
const seen: string[] = [];
let server: Answering;
let directory: string;
beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'sluice-measure-')));
  await mkdir(join(directory, 'source'));
  server = await answering((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization ?? 'nobody'}`);
    response.end('{"score":1}');
  });
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

const measure = (ask: Ask, bounds: Partial<SourceSettings> = {}, stopping = new AbortController().signal) => {
  const first = newService(desiredRelease('r-1', 'one'), { uid: 'u', token: { sealed: '', digest: '' } }, 0);
  const { revision, ...desired } = desiredRelease('r-2', 'two');
  const state = withDesired({ ...first, stable: 1 }, { ...desired, revision: { ...revision, directory } }, 1);
  const source = { name: 'score', ask, intervalMs: 1_000, timeoutMs: 5_000, failures: 0, errors: 0, ...bounds };
  return createMeasure({ resolver, stopping, secrets })(state, source);
};

it('asks about the release under the name it has in a URL, with the secret in a header', async () => {
  const url = `${server.url}/of/$release?than=$stable&in=$environment/$service`;
  const ask = { type: 'http', url, pointer: '/score', authorization: 'Bearer ${secret.score}' } as const;
  expect(await measure(ask, { atLeast: 1 })).toEqual({ outcome: 'pass', value: 1 });
  expect(seen.splice(0)).toEqual([`/of/r-2?than=r-1&in=default/agent Bearer ${secret}`]);
});

it('runs a command in the folder of the candidate, which learns whom it is about and nothing else', async () => {
  const script =
    'echo "$(basename $(dirname $(pwd)))/$(basename $(pwd)) $1 $SLUICE_RELEASE $SLUICE_STABLE_RELEASE $SLUICE_SERVICE $(test -n "$HOME" || echo homeless)"';
  expect(await measure({ type: 'command', command: ['sh', '-c', script, 'sh', '$release'] })).toEqual({
    outcome: 'pass',
    said: `${directory.split('/').at(-1)}/source r-2 r-2 r-1 agent homeless`,
  });
});

it('shows no secret that it was not given either, whatever a command has found it by', async () => {
  const failing = ['sh', '-c', 'echo "3 of 9 failed with kept-elsewhere"; exit 1'];
  expect(await measure({ type: 'command', command: failing })).toEqual({ outcome: 'fail', said: '3 of 9 failed with ***' });
  const broken = ['sh', '-c', 'echo "tried with kept-elsewhere"; exit 3'];
  expect(await measure({ type: 'command', command: broken })).toEqual({ outcome: 'error', said: 'it ended with 3: tried with ***' });
});

it('shows no value of an interpolation in what a source says, nor in why it could not be asked', async () => {
  const command = ['sh', '-c', 'echo "tried with $0"; exit 3', '${secret.x}'];
  expect(await measure({ type: 'command', command })).toEqual({ outcome: 'error', said: 'it ended with 3: tried with [secret]' });
  expect(await measure({ type: 'command', command: ['${secret.program}'] })).toEqual({
    outcome: 'error',
    said: "'[secret]' cannot be started (ENOENT)",
  });
  const authorization = '${secret.x}\nx-more: 1';
  const refused = await measure({ type: 'http', url: server.url, authorization });
  expect([refused.outcome, JSON.stringify(refused).includes(secret)]).toEqual(['error', false]);
  expect(seen).toEqual([]);
});

it('never throws: what cannot be resolved or reached is an error', async () => {
  expect(await measure({ type: 'http', url: 'not a url' })).toMatchObject({ outcome: 'error' });
  const unresolved: OutputResolver = { resolve: () => Promise.reject(new Error('there is no secret score')) };
  const state = newService(desiredRelease('r-1', 'one'), { uid: 'u', token: { sealed: '', digest: '' } }, 0);
  const source = { name: 's', ask: { type: 'http', url: server.url } as const, intervalMs: 1, timeoutMs: 1_000, failures: 0, errors: 0 };
  expect(await createMeasure({ resolver: unresolved, secrets, stopping: new AbortController().signal })(state, source)).toEqual({
    outcome: 'error',
    said: 'there is no secret score',
  });
});

it('ends what is under way when the control plane stops', async () => {
  const stopping = new AbortController();
  const running = measure({ type: 'command', command: ['sleep', '60'] }, { timeoutMs: 60_000 }, stopping.signal);
  stopping.abort();
  const late = measure({ type: 'command', command: ['sleep', '60'] }, { timeoutMs: 60_000 }, stopping.signal);
  expect([(await running).outcome, (await late).outcome]).toEqual(['error', 'error']);
});
