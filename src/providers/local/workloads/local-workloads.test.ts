import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../effects/clock.ts';
import { writeDurably } from '../../../effects/files.ts';
import { identify, startDetached } from '../../../effects/processes.ts';
import { systemRandom } from '../../../effects/random.ts';
import { until } from '../../../testing/conditions.ts';
import { describeWorkloadsContract } from '../../workloads-contract.ts';
import type { InstanceSpec, Workloads } from '../../workloads.ts';
import { createLocalWorkloads } from './local-workloads.ts';

const program = join(import.meta.dirname, 'testdata', 'instance.js');
const node = process.execPath;

function specFor(id: string, behaviour: string, extra: Partial<InstanceSpec> = {}): InstanceSpec {
  const service = 'default/service/agent' as const;
  return { id, service, release: 'r-1', command: ['node', program, behaviour], directory: dirname(program), environment: {}, ...extra };
}

const http = (path: string, timeoutMs = 2_000) => ({ type: 'http', path, timeoutMs }) as const;
const runs = (command: string[]) => ({ type: 'command', command, timeoutMs: 5_000 }) as const;

async function newHome(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'sluice-workloads-'));
}

describeWorkloadsContract('local', async () => {
  const home = await newHome();
  const workloads = createLocalWorkloads({ home, clock: systemClock, random: systemRandom });
  return {
    workloads,
    spec: specFor,
    until: async (what, condition) => void (await until(what, condition)),
    settle: (promise) => promise,
    dispose: () => rm(home, { recursive: true, force: true }),
  };
});

describe('local workloads', () => {
  let home: string;
  let workloads: Workloads;

  beforeAll(async () => {
    home = await newHome();
    workloads = createLocalWorkloads({ home, clock: systemClock, random: systemRandom });
  });
  afterAll(async () => {
    for (const { id } of await workloads.list()) await workloads.stop(id, 0);
    await rm(home, { recursive: true, force: true });
  });

  const ready = async (id: string): Promise<boolean> => (await workloads.probe(id, http('/'))).ready;

  it('gives an instance the declared variables, its own few, and nothing else of the environment Sluice runs in', async () => {
    process.env['SLUICE_TEST_CANARY'] = 'canary';
    const { host, port } = await workloads.start(specFor('bare', 'serve', { environment: { LOG_LEVEL: 'info', PORT: '1' } }));
    await until('it is ready', () => ready('bare'));
    const answer = (await (await fetch(`http://${host}:${port}/`)).json()) as { environment: Record<string, string>; directory: string };
    const { __CF_USER_TEXT_ENCODING: _, ...environment } = answer.environment;
    expect(environment).toEqual({
      LOG_LEVEL: 'info',
      PORT: String(port),
      HOST: '127.0.0.1',
      HOME: join(home, 'instances', 'bare'),
      PATH: [...new Set([dirname(node), '/usr/local/bin', '/usr/bin', '/bin'])].join(':'),
      SLUICE_INSTANCE: 'bare',
    });
    expect(answer.directory).toBe(dirname(program));
    delete process.env['SLUICE_TEST_CANARY'];
  });

  it('writes a record that only its owner may read and that holds no variable', async () => {
    await workloads.start(specFor('secretive', 'idle', { environment: { API_KEY: 'canary-secret-value' } }));
    const file = join(home, 'instances', 'secretive.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toContain('canary-secret-value');
  });

  it('appends output to the log without passing it through the control plane', async () => {
    const { logFile } = await workloads.start(specFor('talkative', 'exit'));
    await until('its output is there', async () => (await readFile(logFile, 'utf8')).includes('about to end'));
    expect(logFile).toBe(join(home, 'logs', 'agent', 'talkative.log'));
    expect((await stat(logFile)).mode & 0o777).toBe(0o600);
  });

  it('says why a check has failed', async () => {
    await workloads.start(specFor('checked', 'serve'));
    await until('it is ready', () => ready('checked'));
    expect(await workloads.probe('checked', http('/broken'))).toEqual({ ready: false, reason: '/broken answered 500' });
    expect(await workloads.probe('checked', http('/slow', 50))).toEqual({ ready: false, reason: '/slow did not answer within 50 ms' });
    expect(await workloads.probe('checked', http('/bad path'))).toMatchObject({ ready: false });
    expect(await workloads.probe('checked', { type: 'tcp', timeoutMs: 1_000 })).toEqual({ ready: true });
    expect(await workloads.probe('checked', runs(['node', '-e', 'process.exit(Number(process.env.PORT) > 0 ? 0 : 1)']))).toEqual({
      ready: true,
    });
    expect(await workloads.probe('checked', runs(['node', '-e', 'process.exit(4)']))).toEqual({
      ready: false,
      reason: "'node' ended with 4",
    });
    await workloads.start(specFor('silent', 'idle'));
    const reason = 'nothing listens on its port yet';
    expect(await workloads.probe('silent', { type: 'tcp', timeoutMs: 1_000 })).toEqual({ ready: false, reason });
  });

  it('ends the whole process group, members that outlive their leader included', async () => {
    await workloads.start(specFor('family', 'parent'));
    const childPid = Number(
      await until('the child is there', () => readFile(join(home, 'instances', 'family', 'child.pid'), 'utf8').catch(() => undefined)),
    );
    await until('the child listens', () => ready('family'));
    await workloads.stop('family', 200);
    expect(identify(childPid)).toBeUndefined();
  });

  it('kills what a crashed instance leaves behind', async () => {
    const { pid } = await workloads.start(specFor('orphaning', 'parent'));
    const childPid = Number(
      await until('the child is there', () => readFile(join(home, 'instances', 'orphaning', 'child.pid'), 'utf8').catch(() => undefined)),
    );
    process.kill(pid, 'SIGKILL');
    await until('the child is gone', () => identify(childPid) === undefined);
    const ended = await until('its end to be known', async () => {
      const found = await workloads.inspect('orphaning');
      return found.status === 'exited' && found;
    });
    expect(ended).toMatchObject({ exit: { signal: 'SIGKILL' } });
  });

  it('refuses a program that does not exist and leaves no trace of the attempt', async () => {
    const spec = specFor('missing', 'serve', { command: ['no-such-program-anywhere'] });
    await expect(workloads.start(spec)).rejects.toMatchObject({ code: 'instance_start_failed' });
    expect([
      await workloads.inspect('missing'),
      (await readdir(join(home, 'instances'))).filter((name) => name.startsWith('missing')),
    ]).toEqual([{ status: 'gone' }, []]);
  });

  it('adopts what an earlier control plane has started, and notices its end', async () => {
    const started = await workloads.start(specFor('heirloom', 'serve'));
    const heir = createLocalWorkloads({ home, clock: systemClock, random: systemRandom });
    const told: unknown[] = [];
    const unsubscribe = heir.onExit((id, { code, signal }) => told.push({ id, code, signal }));
    expect(await heir.start(specFor('heirloom', 'serve'))).toEqual(started);
    expect((await heir.inspect('heirloom')).status).toBe('running');
    process.kill(started.pid, 'SIGKILL');
    await until('its end is told', () => told.length > 0);
    expect(told).toEqual([{ id: 'heirloom', code: null, signal: null }]);
    unsubscribe();
  });

  it('finds a process whose pid was never written down, because the control plane died right after starting it', async () => {
    const { logFile, startedAt } = await workloads.start(specFor('lost', 'idle'));
    await workloads.stop('lost', 0);
    const [host, port, id] = ['127.0.0.1', 9, 'lost'];
    const intent = { id, service: 'default/service/agent', release: 'r-1', directory: '/', host, port, logFile, startedAt, cgroups: [] };
    await writeDurably(join(home, 'instances', 'lost.json'), JSON.stringify(intent));
    const environment = { SLUICE_INSTANCE: 'lost' };
    const process = await startDetached({ command: [node, program, 'idle'], directory: home, environment, logFile });
    const heir = createLocalWorkloads({ home, clock: systemClock, random: systemRandom });
    expect(await heir.inspect('lost')).toMatchObject({ status: 'running', instance: { pid: process.pid } });
    await heir.stop('lost', 0);
    expect(identify(process.pid)).toBeUndefined();
  });

  it('ends a process whose record cannot be read any more, and takes it for gone', async () => {
    const { pid } = await workloads.start(specFor('damaged', 'idle'));
    await writeFile(join(home, 'instances', 'damaged.json'), '{ "id": "dam');
    const heir = createLocalWorkloads({ home, clock: systemClock, random: systemRandom });
    expect(await heir.inspect('damaged')).toEqual({ status: 'gone' });
    await until('the process is gone', () => identify(pid) === undefined);
  });

  it('takes a pid that belongs to another process now for gone, and never touches that process', async () => {
    await workloads.start(specFor('reused', 'idle'));
    await workloads.stop('reused', 0);
    const file = join(home, 'instances', 'reused.json');
    const { exit: _, ...record } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    await writeDurably(file, JSON.stringify({ ...record, process: { pid: process.pid, startTime: 'another time' } }));
    const heir = createLocalWorkloads({ home, clock: systemClock, random: systemRandom });
    expect(await heir.inspect('reused')).toEqual({ status: 'gone' });
    await heir.stop('reused', 0);
    expect(identify(process.pid)).toBeDefined();
    await heir.forget('reused');
  });
});
