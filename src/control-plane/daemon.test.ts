import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient, type Client } from '../api/client.ts';
import { identify, isAlive, type ProcessIdentity } from '../effects/processes.ts';
import { until } from '../testing/conditions.ts';
import { findControlPlane, startControlPlane } from './discovery.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

const stack = `
resource_group: { name: shop, location: eastus }
service:
  name: echo
  source: echo
  command: [node, server.mjs]
  version: 1.0.0
  replicas: 1
  health: { path: /, interval: 100ms }
  drain: 1s
  expose: { host: echo.localhost }
`;
const server = (readyAfterMs: number): string => `
import { createServer } from 'node:http';
console.log('listening');
const server = createServer((request, response) => response.end(String(process.pid)));
setTimeout(() => server.listen(Number(process.env.PORT), process.env.HOST), ${readyAfterMs});
process.on('SIGTERM', () => process.exit(0));
`;

describe('the control plane as a process', () => {
  let root: string;
  let home: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'sluice-daemon-'));
    home = join(root, 'home');
  });
  afterEach(async () => {
    const found = await startControlPlane({ home, root });
    await createClient(found).shutdown({ workloads: 'stop' });
    await gone(identify(found.pid));
    await rm(root, { recursive: true, force: true });
  });

  const start = async (): Promise<{ client: Client; process: ProcessIdentity; url: string; key: string }> => {
    const found = await startControlPlane({ home, root });
    return { client: createClient(found), process: identify(found.pid) as ProcessIdentity, url: found.url, key: found.key };
  };
  const deploy = async (client: Client): Promise<void> => {
    await writeStack(root, 0);
    const plan = await client.createPlan({ stack: 'stack.yaml' });
    const run = await client.waitForRun((await client.applyPlan(plan.id)).id);
    expect(run).toMatchObject({ status: 'succeeded' });
  };

  it('is found by its home, keeps its files to its owner, and answers nobody without a key', async () => {
    expect(await findControlPlane(home)).toBeUndefined();
    const { client, process, url } = await start();
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
    await deploy(client);
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
    await deploy(client);
    const { gateway, environments } = await client.status();
    const [pid] = await instances(client);
    process.kill(first.pid, 'SIGTERM');
    await gone(first);
    expect(await answerOf(environments[0]?.url ?? '')).toBe(`200 ${pid}`);

    const second = await start();
    expect((await second.client.status()).gateway).toEqual(gateway);
    await second.client.shutdown({ workloads: 'stop' });
    await gone(second.process);
    expect([pid, gateway.pid].map((each) => identify(each ?? 0))).toEqual([undefined, undefined]);

    const third = await start();
    await until('the service to run again', async () => (await third.client.getService('default', 'echo')).phase === 'ready');
    expect(await answerOf(environments[0]?.url ?? '')).toMatch(/^200 \d+$/);
    const lines = await third.client.readLogs('default', 'echo');
    expect(lines.map(({ line }) => line)).toContain('listening');
  });

  it('may be killed in the middle of an apply: the run is told as interrupted, and the next apply does what is missing, once', async () => {
    const { client, process: killed } = await start();
    await writeStack(root, 1_500);
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
    expect((await (await start()).client.status()).gateway).toEqual(gateway);
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

async function writeStack(root: string, readyAfterMs: number): Promise<void> {
  await mkdir(join(root, 'echo'), { recursive: true });
  await writeFile(join(root, 'stack.yaml'), stack);
  await writeFile(join(root, 'echo', 'server.mjs'), server(readyAfterMs));
}

async function gone(process: ProcessIdentity | undefined): Promise<void> {
  await until('the process to be gone', () => process === undefined || !isAlive(process));
}

async function instances(client: Client): Promise<readonly (number | undefined)[]> {
  return (await client.getService('default', 'echo')).instances.map(({ pid }) => pid);
}

/** The body of the echo service's answer through the gateway. Not every system resolves names below `localhost`, so the host is sent. */
function answerOf(publicUrl: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(publicUrl, { agent: false, headers: { host: 'echo.localhost' } }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.once('end', () => resolve(`${response.statusCode} ${body}`));
      response.once('error', reject);
    });
    request.once('error', reject);
  });
}
