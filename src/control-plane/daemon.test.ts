import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identify } from '../effects/processes.ts';
import { until } from '../testing/conditions.ts';
import { findControlPlane, startControlPlane } from './discovery.ts';
import {
  answerOf,
  createDaemonFixture,
  type DaemonFixture,
  gone,
  instances,
  ready,
  type StartedDaemon,
} from './testdata/daemon-fixture.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

describe('the control plane as a process', () => {
  let fixture: DaemonFixture;
  let [root, home] = ['', ''];
  beforeEach(async () => {
    fixture = await createDaemonFixture();
    ({ root, home } = fixture);
  });
  afterEach(() => fixture.dispose());
  const start = (): Promise<StartedDaemon> => fixture.start();

  it('is found by its home, keeps its files to its owner, and answers nobody without a key', async () => {
    expect(await findControlPlane(home)).toBeUndefined();
    const { client, process, url } = await start();
    await ready(client);
    expect(await client.status()).toMatchObject({ home, root, pid: process.pid, gateway: { running: true }, environments: [] });
    expect(await findControlPlane(home)).toMatchObject({ url, pid: process.pid });
    expect(new URL(url).hostname).toBe('127.0.0.1');
    expect((await fetch(`${url}/v1/status`)).status).toBe(401);
    for (const file of ['admin.key', 'control-plane.json', 'state.db', 'state.key', 'control-plane.lock', 'logs/control-plane.log']) {
      expect([file, (await stat(join(home, file))).mode & 0o777]).toEqual([file, 0o600]);
    }
  });

  it('is one per home: two that start at once end as one, and another one says who is there', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    expect(first.process.pid).toBe(second.process.pid);
    const intruder = spawn(process.execPath, [main, '--home', home, '--root', root], { stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    intruder.stderr.on('data', (text: Buffer) => (output += text.toString()));
    expect((await once(intruder, 'close'))[0]).toBe(78);
    expect(output).toContain(`A control plane (process ${first.process.pid}) already serves ${home}`);
    expect((await first.client.status()).pid).toBe(first.process.pid);
  });

  it('may be killed while it serves: nothing stops, and the next one adopts everything at the same address', async () => {
    const { client, process: killed, url } = await start();
    await fixture.deploy(client);
    const before = await instances(client);
    const over = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const { sequence } of client.followEvents({ signal: over.signal })) seen.push(sequence);
    })();
    const { url: publicUrl = '' } = (await client.status()).environments[0] ?? {};
    await until('the events so far', () => seen.length > 5);

    process.kill(killed.pid, 'SIGKILL');
    await gone(killed);
    expect(await answerOf(publicUrl)).toBe(`200 ${before[0]}`);
    expect(await findControlPlane(home)).toBeUndefined();

    const next = await start();
    expect(next.url).toBe(url);
    expect(next.process.pid).not.toBe(killed.pid);
    expect(await instances(next.client)).toEqual(before);
    expect((await next.client.createPlan({ stack: 'stack.yaml' })).changes.map(({ action }) => action)).toEqual(['none', 'none']);
    expect(await answerOf(publicUrl)).toBe(`200 ${before[0]}`);

    const last = (await next.client.listEvents({ limit: 1000 })).last;
    await until('the follower to have caught up', () => seen.at(-1) === last);
    expect(seen).toEqual(Array.from({ length: last }, (_, index) => index + 1));
    over.abort();
    await following;
  });

  it('leaves everything running when it is told to end by a signal, and ends all of it when asked to', async () => {
    const { client, process: first } = await start();
    await fixture.deploy(client);
    const { gateway, environments } = await client.status();
    const [pid] = await instances(client);
    process.kill(first.pid, 'SIGTERM');
    await gone(first);
    expect(await answerOf(environments[0]?.url ?? '')).toBe(`200 ${pid}`);

    const second = await start();
    await ready(second.client);
    expect((await second.client.status()).gateway).toEqual(gateway);
    await second.client.shutdown({ workloads: 'stop' });
    await gone(second.process);
    expect([pid, gateway.pid].map((each) => identify(each ?? 0))).toEqual([undefined, undefined]);

    const third = await start();
    await ready(third.client);
    const [environment] = (await third.client.status()).environments;
    expect(await answerOf(environment?.url ?? '')).toMatch(/^200 \d+$/);
    const lines = await third.client.readLogs('default', 'echo');
    expect(lines.map(({ line }) => line)).toContain('listening');
  });

  it('may be killed in the middle of an apply: the run is told as interrupted, and the next apply does what is missing, once', async () => {
    const { client, process: killed } = await start();
    await fixture.writeStack(1_500);
    const { id } = await client.applyPlan((await client.createPlan({ stack: 'stack.yaml' })).id);
    await until('the instance to run', async () => (await instances(client).catch(() => []))[0]);
    const before = await instances(client);
    process.kill(killed.pid, 'SIGKILL');
    await gone(killed);

    const next = await start();
    expect(await next.client.waitForRun(id)).toMatchObject({
      status: 'failed',
      error: { code: 'run_interrupted' },
      changes: [{ address: 'default/resource_group/shop', status: 'done' }, { status: 'failed' }],
    });
    const plan = await next.client.createPlan({ stack: 'stack.yaml' });
    const run = await next.client.waitForRun((await next.client.applyPlan(plan.id)).id);
    expect(run).toMatchObject({ status: 'succeeded' });
    expect(await instances(next.client)).toEqual(before);
  });

  it('ends with code 70 on an error nobody expected, writes it down without its secrets, and leaves running what runs', async () => {
    const first = await start();
    await ready(first.client);
    const { gateway } = await first.client.status();
    process.kill(first.process.pid, 'SIGTERM');
    await gone(first.process);
    const fault = "data:text/javascript,process.on('SIGUSR2', () => { throw new Error('lost postgres://agent:canary-31@db/x') })";
    const failing = spawn(process.execPath, ['--import', fault, main, '--home', home, '--root', root], { stdio: 'ignore' });
    const ended = once(failing, 'exit');
    await until('it to answer', () => findControlPlane(home));
    failing.kill('SIGUSR2');
    expect((await ended)[0]).toBe(70);
    const log = await readFile(join(home, 'logs', 'control-plane.log'), 'utf8');
    expect(log).toContain('lost postgres://agent:***@db/x');
    expect(log).not.toContain('canary-31');
    const next = await start();
    await ready(next.client);
    expect((await next.client.status()).gateway).toEqual(gateway);
  });

  it('does not start on an admin key that others can read, and says what to do', async () => {
    const { process: first, key } = await start();
    process.kill(first.pid, 'SIGTERM');
    await gone(first);
    await chmod(join(home, 'admin.key'), 0o644);
    await expect(startControlPlane({ home, root })).rejects.toMatchObject({
      code: 'control_plane_did_not_start',
      message: expect.stringContaining('can be read by other users'),
    });
    await chmod(join(home, 'admin.key'), 0o600);
    expect((await start()).key).toBe(key);
    expect(await readFile(join(home, 'logs', 'control-plane.log'), 'utf8')).not.toContain(key);
  });
});
