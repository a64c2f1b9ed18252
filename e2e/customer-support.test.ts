import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive, identify } from '../src/effects/processes.ts';
import { until } from '../src/testing/conditions.ts';
import { findProgram } from '../src/testing/requires.ts';
import { filesContaining, processesMentioning } from './leftovers.ts';
import { send, startLoad } from './load.ts';
import { controlPlane, expectCode, sluice, start, type World } from './sluice.ts';

const example = fileURLToPath(new URL('../examples/customer-support', import.meta.url));
const canary = 'canary-7f3a9c51d2';
const host = 'support.localhost';
const question = JSON.stringify({ message: 'How long do I have to ask for a refund?' });

interface Service {
  readonly name: string;
  readonly phase: string;
  readonly instances: readonly { readonly id: string; readonly pid: number }[];
}

/** What an answer says of its decision and its flag; whom the flag was decided for is told as a digest. */
const attributes = (variant: string): unknown =>
  expect.stringMatching(new RegExp(`^agent\\.decision=answer, flag\\.answer-with-citations=${variant}, flag-key=[\\w-]{16}$`));

describe('the customer-support example', () => {
  let world: World;
  let url: string;

  const services = async (): Promise<readonly Service[]> =>
    (await (await controlPlane(world)).get('/v1/environments/staging/services')) as readonly Service[];
  const pids = async (): Promise<readonly number[]> =>
    (await services()).flatMap(({ instances }) => instances.map(({ pid }) => pid)).toSorted((a, b) => a - b);
  const publicUrl = async (): Promise<string> => {
    const status = (await (await controlPlane(world)).get('/v1/status')) as { environments: { name: string; url: string }[] };
    return status.environments.find(({ name }) => name === 'staging')?.url ?? '';
  };
  const ask = (headers: Record<string, string> = {}) =>
    send(`${url}/chat`, undefined, { host, body: question, headers: { accept: 'application/json', ...headers } });

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-support-'));
    // Servers that drop root may pass, so that their data stands below the home and goes with it.
    await chmod(directory, 0o755);
    world = { directory: example, home: join(directory, 'home'), environment: { MODEL_API_KEY: canary, SLUICE_GATEWAY_ENGINE: '' } };
  });

  afterAll(async () => {
    await sluice(world, 'down');
    await rm(join(world.home, '..'), { recursive: true, force: true });
  });

  it('comes up with one command that prints the plan, the URLs and a curl that works', async () => {
    const { stdout } = await expectCode(0, world, 'up', '--detach');
    expect(stdout).toMatch(/\d+ to create/);
    const curl = /curl .*/.exec(stdout)?.[0] ?? '';
    expect(curl).toContain(host);
    url = await publicUrl();
    expect(curl).toContain(new URL(url).port);
    // Whatever the machine has, as it is for everybody who says nothing of it.
    const engine = findProgram('haproxy') === undefined ? 'embedded' : 'haproxy';
    expect(await (await controlPlane(world)).get('/v1/gateway')).toMatchObject({ engine, warnings: [] });
  });

  it('answers a question from the knowledge base with a citation', async () => {
    const { status, text, headers } = await ask();
    expect(status).toBe(200);
    expect(text).toMatch(/refund/i);
    expect(text).toMatch(/citations/);
    expect(headers['x-sluice-attributes']).toContain('agent.decision=answer');
  });

  it('streams when asked to', async () => {
    const { text, headers } = await ask({ accept: 'text/event-stream' });
    expect(headers['content-type']).toContain('text/event-stream');
    expect(text.split('\n').filter((line) => line.startsWith('data:')).length).toBeGreaterThan(3);
  });

  it('names its sources in so many words to whom the flag is switched on, at once and without a release', async () => {
    await expectCode(0, world, 'flag', 'set', 'answer-with-citations', 'off', '-e', 'staging');
    expect((await ask()).headers['x-sluice-attributes']).toEqual(attributes('off'));
    await expectCode(0, world, 'flag', 'set', 'answer-with-citations', 'on', '-e', 'staging');
    const { text, headers } = await ask();
    expect([headers['x-sluice-attributes'], text]).toEqual([attributes('on'), expect.stringContaining('Sources: ')]);
    await expectCode(0, world, 'flag', 'set', 'answer-with-citations', '--clear', '-e', 'staging');
  });

  it('has nothing to change when it is started again', async () => {
    expect((await expectCode(0, world, 'up', '--detach')).stdout).toContain('No changes');
  });

  it('keeps a secret out of every file, log, event and plan', async () => {
    expect(filesContaining(world.home, canary)).toEqual([]);
    const { stdout } = await expectCode(0, world, 'get', 'secret', '--json');
    expect(stdout).not.toContain(canary);
    expect((await expectCode(0, world, 'events')).stdout).not.toContain(canary);
  });

  it('fails no request when the control plane is killed, and adopts every process when it returns', async () => {
    const before = await pids();
    const { pid } = await controlPlane(world);
    const load = startLoad(`${url}/chat`, { host, concurrency: 4, body: question });
    await until('the load to run', () => load.answered > 20);
    const identity = identify(pid);
    process.kill(pid, 'SIGKILL');
    await until('the control plane to be gone', () => identity !== undefined && !isAlive(identity));
    const withoutIt = load.answered;
    await until('answers without a control plane', () => load.answered > withoutIt + 20);
    expect((await expectCode(0, world, 'up', '--detach')).stdout).toContain('No changes');
    const returned = load.answered;
    await until('answers with the new control plane', () => load.answered > returned + 20);
    expect((await load.stop()).failures).toEqual([]);
    expect(await pids()).toEqual(before);
  });

  it('stops cleanly by Ctrl-C and finds everything as it was left at the next start', async () => {
    const foreground = start(world, 'up');
    let printed = '';
    foreground.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    foreground.stderr?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    await until('up to be ready', () => printed.includes('curl '));
    const ended = new Promise<number | null>((resolve) => foreground.once('close', resolve));
    foreground.kill('SIGINT');
    expect([0, 130]).toContain(await ended);
    expect(processesMentioning(world.home)).toEqual([]);

    // While it was down, a test that runs at the same time may have taken its port: then its addresses change, and nothing else.
    const { code, stdout: json } = await sluice(world, 'plan', '--json');
    const fields = (JSON.parse(json) as { changes: { fields: { path: string }[] }[] }).changes.flatMap((change) => change.fields);
    expect(fields.filter(({ path }) => !/^outputs\.(public_)?url$/.test(path))).toEqual([]);
    expect(code).toBe(fields.length === 0 ? 0 : 2);
    await expectCode(0, world, 'up', '--detach');
    url = await publicUrl();
    expect((await ask()).status).toBe(200);
    const { stdout } = await expectCode(0, world, 'status');
    expect(stdout).toContain('conversation-agent');
  });

  it('goes down without a process left behind', async () => {
    await expectCode(0, world, 'down');
    expect(processesMentioning(world.home)).toEqual([]);
  });
});
