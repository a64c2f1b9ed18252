import { describe, expect, it } from 'vitest';
import { until } from '../testing/conditions.ts';
import { addResource, controlPlaneFixture, service, servicesOf, type ControlPlaneFixture } from './testdata/control-plane-fixture.ts';

async function withState(): Promise<ControlPlaneFixture> {
  const fixture = await controlPlaneFixture();
  await addResource(fixture, 'service', 'hello');
  await addResource(fixture, 'database', 'db');
  return fixture;
}

describe('status', () => {
  it('shows the control plane, the services and every other resource', async () => {
    const { code, stdout } = await (await withState()).sluice('status');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^control plane {8}1\.2\.3, pid \d+, up /);
    expect(stdout).toMatch(/\nhello {4}default {6}ready {4}2\/2 {2}1\.0\.0 r-0123456789ab {2}http:\/\/hello\.localhost:7080\/\n/);
    expect(stdout).toMatch(/\ndatabase\/db {2}default {6}ready {3}local /);
    expect(stdout).not.toContain('service/hello');
  });

  it('gives the same as one document', async () => {
    const report = JSON.parse((await (await withState()).sluice('status', '--json')).stdout) as Record<string, unknown>;
    expect(report).toMatchObject({ status: { version: '1.2.3' }, services: [{ name: 'hello' }] });
    expect(report['resources']).toHaveLength(2);
  });

  it('-w shows it again until Ctrl-C', async () => {
    const fixture = await withState();
    const { terminal, ended } = fixture.start('status', '-w', '--json');
    await until('the second look', () => terminal.stdout().split('\n').length > 2);
    process.emit('SIGINT');
    expect(await ended).toBe(130);
    for (const line of terminal.stdout().trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('services');
  });
});

describe('get and describe', () => {
  it.each(['database', 'databases', 'Database'])('lists by kind, written %s', async (word) => {
    const { code, stdout } = await (await withState()).sluice('get', word);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^NAME {2}KIND {6}ENVIRONMENT {2}STATUS {2}PROVIDER {2}OUTPUTS/);
    expect(stdout).toMatch(/\ndb {4}database {2}default {6}ready {3}local {5}host=127\.0\.0\.1 /);
  });

  it('gives one by name as an object and never what is sealed', async () => {
    const { stdout } = await (await withState()).sluice('get', 'database', 'db', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ address: 'default/database/db', outputs: { url: { secret: true } } });
    expect(stdout).not.toContain('c2VhbGVk');
  });

  it('names what there is when a name is wrong', async () => {
    const { code, stderr } = await (await withState()).sluice('get', 'service', 'helo');
    expect(code).toBe(1);
    expect(stderr).toBe("error[not_applied]: There is no service 'helo', but hello.\n  help: Did you mean 'hello'?\n");
  });

  it('says when there is nothing, and gives an empty list to a program', async () => {
    const fixture = await withState();
    expect(await fixture.sluice('get', 'caches')).toMatchObject({ code: 0, stdout: '', stderr: 'There is no cache.\n' });
    expect((await fixture.sluice('get', 'caches', '--json')).stdout).toBe('[]\n');
  });

  it('refuses an environment that is not there', async () => {
    const { code, stderr } = await (await withState()).sluice('get', 'all', '-e', 'production');
    expect(code).toBe(64);
    expect(stderr).toContain("There is no environment 'production' here, but default.");
  });

  it('describes a resource with its outputs and its last events, newest last', async () => {
    const fixture = await withState();
    for (let number = 1; number <= 12; number += 1) {
      await fixture.events.publish({ type: 'change.progressed', level: 'info', message: `step ${number}`, address: 'default/database/db' });
    }
    const { stdout } = await fixture.sluice('describe', 'database/db');
    expect(stdout).toMatch(/\nOutputs\n {2}host {2}127\.0\.0\.1\n {2}url {3}\(secret\)\n/);
    expect(stdout).not.toContain('step 2\n');
    expect(stdout).toMatch(/step 3\n[^]*step 12\n$/);
  });

  it('describes a service with its instances and a request to paste, also by its address', async () => {
    const { stdout } = await (await withState()).sluice('describe', 'default/service/hello');
    expect(stdout).toMatch(/\nhello-1 {3}ready {2}r-0123456789ab {2}127\.0\.0\.1:4000 {3}77 /);
    expect(stdout).toContain('\nTry\n  curl -sS http://hello.localhost:7080/\n');
  });

  it('wants the environment named when several have the service', async () => {
    const fixture = await controlPlaneFixture((made) => ({
      services: servicesOf([service], made),
      status: () =>
        Promise.resolve({
          version: '1',
          home: '/',
          root: '/',
          pid: 1,
          startedAt: '2026-11-22T12:00:00.000Z',
          phase: 'ready',
          lastEvent: 0,
          gateway: { running: false },
          environments: ['default', 'other'].map((name) => ({ name, resources: 1, services: 1 })),
        }),
    }));
    for (const environment of ['default', 'other']) await addResource(fixture, 'service', 'hello', environment);
    const { code, stderr } = await fixture.sluice('restart', 'hello');
    expect(code).toBe(64);
    expect(stderr).toContain('(default, other): name one with -e');
    expect((await fixture.sluice('restart', 'hello', '-e', 'other')).code).toBe(0);
  });
});

describe('logs', () => {
  it('gives the lines as they are, control characters included', async () => {
    const { code, stdout } = await (await withState()).sluice('logs', 'hello', '--tail', '7');
    expect(code).toBe(0);
    expect(stdout).toBe('hello-1 │ \u001b[31mred\u001b[0m, the last 7\n');
  });

  it('-f follows, and with --json gives one document per line', async () => {
    const { stdout } = await (await withState()).sluice('logs', 'hello', '-f', '--json');
    expect(stdout).toBe('{"instance":"hello-1","line":"one"}\n{"instance":"hello-1","line":"two"}\n');
  });
});

describe('events', () => {
  it('shows all of them on a line each, whatever they hold', async () => {
    const fixture = await withState();
    for (let number = 1; number <= 1_203; number += 1) {
      await fixture.events.publish({ type: 'run.started', level: 'info', message: `number ${number}\n\u001b[2J`, environment: 'default' });
    }
    const { stdout } = await fixture.sluice('events');
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(1_203);
    expect(lines.at(-1)).toMatch(/^\d\d:\d\d:\d\d run\.started {12}default {2}number 1203\\n\\u001b\[2J$/);
    expect((await fixture.sluice('events', '--after', '1201', '--json')).stdout.trimEnd().split('\n')).toHaveLength(2);
  });

  it('-f goes on with new ones until Ctrl-C', async () => {
    const fixture = await withState();
    const first = await fixture.events.publish({ type: 'run.started', level: 'info', message: 'old' });
    const { terminal, ended } = fixture.start('events', '-f', '--after', String(first));
    await fixture.events.publish({ type: 'run.finished', level: 'info', message: 'new' });
    await until('the new event to be shown', () => terminal.stdout().includes('new'));
    process.emit('SIGINT');
    expect(await ended).toBe(130);
    expect(terminal.stdout()).toMatch(/^\S+ run\.finished +new\n$/);
  });
});

describe('status', () => {
  it('says that it is still starting, and why the gateway does not run', async () => {
    const fixture = await controlPlaneFixture(() => ({
      status: () =>
        Promise.resolve({
          version: '1',
          home: '/',
          root: '/',
          pid: 1,
          startedAt: '2026-11-22T12:00:00.000Z',
          phase: 'starting',
          lastEvent: 0,
          gateway: { running: false, problem: 'its port is taken' },
          environments: [],
        }),
    }));
    const { stdout } = await fixture.sluice('status');
    expect(stdout).toMatch(/control plane +1, pid 1, up [^\n]+, starting\n/);
    expect(stdout).toMatch(/gateway +not running: its port is taken\n/);
  });
});

describe('scale, restart and keys', () => {
  it('scales and restarts', async () => {
    const fixture = await withState();
    expect((await fixture.sluice('scale', 'hello', '3')).stdout).toContain('scales to 3 instances');
    expect((await fixture.sluice('restart', 'hello', '--json')).stdout).toContain('"name": "hello"');
    expect(fixture.calls).toEqual(['scale default/hello 3', 'restart default/hello']);
  });

  it('makes a key, shows it once, lists it without itself, and ends it', async () => {
    const fixture = await withState();
    const created = await fixture.sluice('key', 'create', 'ci', '--role', 'operator', '--expires', '12h');
    expect(created.stdout).toMatch(/^sk_\S+\n$/);
    const listed = await fixture.sluice('key', 'list');
    expect(listed.stdout).toMatch(/\nkey-\w+ {2}ci {9}operator +active /);
    expect(listed.stdout).not.toContain(created.stdout.trim());
    const id = /key-\w+/.exec(created.stderr)?.[0] ?? '';
    expect((await fixture.sluice('key', 'revoke', id)).code).toBe(64);
    expect((await fixture.sluice('key', 'revoke', id, '--yes')).stdout).toBe(`Revoked ${id} (ci).\n`);
    expect((await fixture.sluice('key', 'list')).stdout).toMatch(new RegExp(`${id}  ci +operator +revoked`));
  });
});
