import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../src/testing/conditions.ts';
import { controlPlane, expectCode, sluice, type World } from './sluice.ts';

const stack = `
service:
  name: web
  source: web
  command: [node, server.mjs]
  version: 1.0.0
  replicas: 2
  health: { path: /, interval: 50ms }
  drain: 1s
`;
const server = `
import { createServer } from 'node:http';
createServer((request, response) => response.end('ok')).listen(Number(process.env.PORT), process.env.HOST);
process.on('SIGTERM', () => process.exit(0));
`;

interface Web {
  readonly phase: string;
  readonly replicas: { readonly desired: number; readonly ready: number };
  readonly instances: readonly { readonly pid: number; readonly state: string }[];
}

describe('how many instances a service has', { timeout: 60_000 }, () => {
  let world: World;
  const web = async (): Promise<Web> => (await (await controlPlane(world)).get('/v1/environments/default/services/web')) as Web;
  const withInstances = (count: number, without: readonly number[] = []): Promise<readonly number[]> =>
    until(`${count} instances to be ready`, async () => {
      const { phase, replicas, instances } = await web();
      const pids = instances.map(({ pid }) => pid);
      return phase === 'ready' && replicas.ready === count && pids.length === count && !without.some((pid) => pids.includes(pid)) && pids;
    });

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-service-drift-'));
    world = { directory, home: join(directory, '.sluice'), environment: { SLUICE_DRIFT_INTERVAL: 'off' } };
    await mkdir(join(directory, 'web'));
    await writeFile(join(directory, 'web', 'server.mjs'), server);
    await writeFile(join(directory, 'stack.yaml'), stack);
    await expectCode(0, world, 'apply', '--yes');
  });
  afterAll(async () => {
    await sluice(world, 'down');
    await rm(world.directory, { recursive: true, force: true });
  });

  it('is healed when one is killed behind its back, and that is no drift', async () => {
    const [killed = 0, other = 0] = await withInstances(2);
    process.kill(killed, 'SIGKILL');
    expect(await withInstances(2, [killed])).toContain(other);
    await expectCode(0, world, 'drift');
    await expectCode(0, world, 'plan');
  });

  it('is told as drift when somebody scales it outside of the stack, and is brought back', async () => {
    const before = await withInstances(2);
    await expectCode(0, world, 'scale', 'web', '3');
    expect(await withInstances(3)).toEqual(expect.arrayContaining([...before]));
    expect((await expectCode(2, world, 'drift')).stdout).toContain('replicas: 2 → 3');
    expect((await expectCode(2, world, 'plan')).stdout).toMatch(/service\/web {2}update in place \(replicas changed outside\)/);
    await expectCode(0, world, 'drift', '--repair', '--yes');
    await withInstances(2);
    await expectCode(0, world, 'drift');
  });

  it('stays as somebody has scaled it once that is accepted, also when one is killed then', async () => {
    await expectCode(0, world, 'scale', 'web', '1');
    const [only = 0] = await withInstances(1);
    await expectCode(0, world, 'drift', '--accept', '--yes');
    await expectCode(0, world, 'drift');
    await expectCode(0, world, 'plan');
    process.kill(only, 'SIGKILL');
    expect(await withInstances(1, [only])).toHaveLength(1);
    await expectCode(0, world, 'drift');
  });
});
