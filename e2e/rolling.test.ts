import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../src/testing/conditions.ts';
import { send, startLoad } from './load.ts';
import { controlPlane, expectCode, type World } from './sluice.ts';

const server = (word: string): string => `
import { createServer } from 'node:http';
const server = createServer((request, response) => {
  setTimeout(() => response.end(JSON.stringify({ word: '${word}', pid: process.pid })), 5);
});
server.listen(Number(process.env.PORT), process.env.HOST);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;

const stack = (replicas: number): string => `
service:
  name: echo
  source: echo
  command: [node, server.js]
  version: 1.0.0
  replicas: ${replicas}
  health: { path: /, interval: 100ms }
  drain: 5s
  expose: { host: echo.localhost }
  rollout: { strategy: rolling, max_surge: 1, max_unavailable: 0 }
`;

interface Status {
  readonly environments: readonly { readonly name: string; readonly url?: string }[];
}

describe('a service under load', () => {
  let world: World;
  let url: string;

  const write = async (replicas: number, word: string): Promise<void> => {
    await writeFile(join(world.directory, 'stack.yaml'), stack(replicas));
    await writeFile(join(world.directory, 'echo', 'server.js'), server(word));
  };
  const wordsSeen = async (): Promise<ReadonlySet<string>> => {
    const answers = await Promise.all(Array.from({ length: 30 }, () => send(url, undefined, { host: 'echo.localhost' })));
    return new Set(answers.map(({ text }) => (JSON.parse(text) as { word: string }).word));
  };
  /** Applies while requests run, and gives what the requests met. */
  const applyUnderLoad = async (): Promise<{ answered: number; failures: readonly string[] }> => {
    const load = startLoad(url, { host: 'echo.localhost', concurrency: 8 });
    await until('the load to run', () => load.answered > 50);
    await expectCode(0, world, 'apply', '--yes');
    const before = load.answered;
    await until('requests after the change', () => load.answered > before + 50);
    return load.stop();
  };

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-rolling-'));
    world = { directory, home: join(directory, '.sluice') };
    await mkdir(join(directory, 'echo'));
    await writeFile(join(directory, 'echo', 'package.json'), '{ "type": "module" }');
    await write(2, 'first');
    await expectCode(0, world, 'apply', '--yes');
    const status = (await (await controlPlane(world)).get('/v1/status')) as Status;
    url = status.environments.find(({ name }) => name === 'default')?.url ?? '';
  });

  afterAll(async () => {
    await expectCode(0, world, 'down');
    await rm(world.directory, { recursive: true, force: true });
  });

  it('answers through the gateway as soon as its first deployment is applied', async () => {
    expect(await wordsSeen()).toEqual(new Set(['first']));
  });

  it('loses no request while it is replaced by another release', async () => {
    await write(2, 'second');
    const { answered, failures } = await applyUnderLoad();
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(100);
    expect(await wordsSeen()).toEqual(new Set(['second']));
  });

  it('loses no request while replicas are added and taken away', async () => {
    await write(4, 'second');
    expect((await applyUnderLoad()).failures).toEqual([]);
    await write(1, 'second');
    expect((await applyUnderLoad()).failures).toEqual([]);
  });

  it('gets more instances by itself while its load asks for them, and they stay when it is applied again', async () => {
    const scaling = 'scaling: { min: 1, max: 2, targets: { concurrency: 2 } }';
    await writeFile(join(world.directory, 'stack.yaml'), stack(1).replace('replicas: 1', scaling));
    await expectCode(0, world, 'apply', '--yes');
    const load = startLoad(url, { host: 'echo.localhost', concurrency: 8 });
    const plane = await controlPlane(world);
    const read = async () =>
      (await plane.get('/v1/environments/default/services/echo')) as { replicas: { desired: number; ready: number } };
    await until('a second instance', async () => (await read()).replicas.ready === 2);
    expect((await load.stop()).failures).toEqual([]);
    expect((await expectCode(0, world, 'apply', '--yes')).stdout).toContain('No changes');
    expect((await read()).replicas.desired).toBe(2);
    expect((await expectCode(1, world, 'scale', 'echo', '1')).stderr).toContain('is decided by load, between 1 and 2');
    const { stdout } = await expectCode(0, world, 'events', '--json');
    expect(stdout).toMatch(/echo is scaled from 1 to 2: [\d.]+ running per instance over 2/);
    await write(1, 'second');
    await expectCode(0, world, 'apply', '--yes');
  });

  it('keeps the stable release when the next one never starts, and says why', async () => {
    await writeFile(join(world.directory, 'echo', 'server.js'), 'throw new Error("broken on purpose");');
    const load = startLoad(url, { host: 'echo.localhost', concurrency: 4 });
    const outcome = await expectCode(1, world, 'apply', '--yes');
    expect((await load.stop()).failures).toEqual([]);
    expect(outcome.stdout + outcome.stderr).toContain('broken on purpose');
    expect(await wordsSeen()).toEqual(new Set(['second']));
  });
});
