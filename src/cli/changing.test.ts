import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestJson } from '../digest/digest.ts';
import type { JsonObject } from '../digest/json.ts';
import { problem, sluiceError } from '../errors/sluice-error.ts';
import { until } from '../testing/conditions.ts';
import { connect } from './target/connect.ts';
import { capturedTerminal } from './testdata/captured-terminal.ts';
import { addResource, applying, controlPlaneFixture, planWith, service, servicesOf } from './testdata/control-plane-fixture.ts';
import { followWhileAlive } from './watching/follow.ts';

const plain = { allowDestroy: [], allowMassDestroy: false, targets: [], excludes: [], refreshOnly: false, adopt: [], save: false };

describe('plan', () => {
  it('ends with 2 when there are changes and with 0 when there are none', async () => {
    const changes = await controlPlaneFixture((made) => applying(planWith('create', 'none'), {}, made));
    const planned = await changes.sluice('plan');
    expect(planned.stdout).toContain('1 to create');
    expect(planned.code).toBe(2);
    const same = await controlPlaneFixture((made) => applying(planWith('none'), {}, made));
    expect(await same.sluice('plan')).toMatchObject({ code: 0, stdout: expect.stringContaining('No changes') as string });
  });

  it('asks for the stack by its path from the root, with environment and variables', async () => {
    const fixture = await controlPlaneFixture((made) => applying(planWith(), {}, made));
    await writeFile(join(fixture.directory, 'one.yaml'), '');
    await fixture.sluice(
      'plan',
      'one.yaml',
      '-e',
      'staging',
      '--var',
      'a=1',
      '--var',
      'b=x=y',
      '--allow-destroy',
      'database/a',
      '--allow-destroy',
      'staging/cache/b',
    );
    await fixture.sluice('plan', '--destroy');
    const allowDestroy = ['database/a', 'staging/cache/b'];
    expect(fixture.orders).toEqual([
      { ...plain, stack: 'one.yaml', environment: 'staging', variables: { a: '1', b: 'x=y' }, mode: 'apply', allowDestroy },
      { ...plain, stack: '.', mode: 'destroy' },
    ]);
  });

  it('passes on what limits the plan, what it may lose and what it takes over', async () => {
    const fixture = await controlPlaneFixture((made) => applying(planWith('create'), {}, made));
    await fixture.sluice(
      'plan',
      '--target',
      'cache/a',
      '--target',
      'cache/b',
      '--exclude',
      'cache/c',
      '--refresh-only',
      '--allow-mass-destroy',
    );
    await fixture.sluice('import', 'cache/a', 'cache-a-1', '--dry-run');
    expect(fixture.orders).toEqual([
      {
        ...plain,
        stack: '.',
        mode: 'apply',
        targets: ['cache/a', 'cache/b'],
        excludes: ['cache/c'],
        refreshOnly: true,
        allowMassDestroy: true,
      },
      { ...plain, stack: '.', mode: 'apply', adopt: [{ address: 'cache/a', id: 'cache-a-1' }] },
    ]);
    expect((await fixture.sluice('plan', '--target', '../cache')).code).toBe(1);
  });

  it('saves a plan for its owner alone, and apply takes it back as it is', async () => {
    const fixture = await controlPlaneFixture((made) => applying(planWith('create'), {}, made));
    const file = join(fixture.directory, 'a.plan');
    expect((await fixture.sluice('plan', '-o', 'a.plan')).code).toBe(2);
    expect(fixture.orders[0]).toMatchObject({ save: true });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await fixture.sluice('apply', 'a.plan')).code).toBe(0);
    expect(fixture.calls).toEqual([`apply ${planWith().id}`]);
    expect((await fixture.sluice('apply', 'a.plan', '--var', 'a=b')).code).toBe(64);

    const saved = JSON.parse(await readFile(file, 'utf8')) as { plan: JsonObject; digest: string };
    const { digest: _, ...content } = { ...saved, plan: { ...saved.plan, mode: 'destroy' } };
    await writeFile(file, JSON.stringify({ ...content, digest: digestJson(content) }));
    expect((await fixture.sluice('apply', 'a.plan')).stderr).toContain('not what the control plane has planned');
    await writeFile(file, JSON.stringify({ ...content, digest: saved.digest }));
    expect((await fixture.sluice('apply', 'a.plan')).stderr).toContain('altered since it was saved');
    await writeFile(file, '{"format":"sluice-plan/1"');
    expect((await fixture.sluice('apply', 'a.plan')).stderr).toContain('error[saved_plan_unusable]');
    expect(fixture.calls).toHaveLength(1);
    await writeFile(file, 'resource_group: { name: a }');
    expect((await fixture.sluice('plan', '-o', 'a.plan')).stderr).toContain('error[file_in_the_way]');
  });

  it('prints one document with --json', async () => {
    const fixture = await controlPlaneFixture((made) => applying(planWith('create'), {}, made));
    const { stdout, stderr } = await fixture.sluice('plan', '--json');
    expect(JSON.parse(stdout)).toEqual(planWith('create'));
    expect(stderr).toBe('');
  });

  it('shows the place of every finding of a refused plan', async () => {
    const position = { file: 'stack.yaml', line: 2, column: 3 };
    const findings = [problem('unsupported_field', { kind: 'service', field: 'scaling' }, { position })];
    const fixture = await controlPlaneFixture(() => ({
      plans: {
        create: () => Promise.reject(sluiceError('plan_refused', { count: 1 }, { problems: findings })),
        get: () => Promise.reject(sluiceError('unknown_plan', { id: 'x' })),
      },
    }));
    await writeFile(join(fixture.directory, 'stack.yaml'), 'service:\n  scaling: {}\n');
    const { code, stderr } = await fixture.sluice('plan');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^stack\.yaml:2:3 {2}unsupported_field .*\n {4}2 │ {3}scaling: \{\}\n {6}│ {3}\^\n/);
    expect(stderr).toContain('\nerror[plan_refused]: ');
  });
});

describe('apply', () => {
  it('shows the plan, a line for every event and the outcome', async () => {
    const fixture = await controlPlaneFixture((made) => applying(planWith('create', 'update'), {}, made));
    const { code, stdout, stderr } = await fixture.sluice('apply');
    expect(code).toBe(0);
    expect(stdout).toMatch(/1 to create, 1 to update[^]*\nApplied in 3\.0s: 1 created, 1 updated\.\n$/);
    expect(stderr).toMatch(/^database\/db-0: creating\n✔ database\/db-0: created in [\d.]+s\ndatabase\/db-1: updating\n/);
  });

  it('gives plan and run as one document with --json, and everything else on standard error', async () => {
    const fixture = await controlPlaneFixture((made) => applying(planWith('create'), {}, made));
    const { stdout, stderr } = await fixture.sluice('apply', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ plan: { id: planWith().id }, run: { status: 'succeeded' } });
    expect(stderr).toContain('1 to create');
  });

  it('does nothing when nothing would change, and nothing for --dry-run', async () => {
    const same = await controlPlaneFixture((made) => applying(planWith('none'), {}, made));
    expect((await same.sluice('apply')).code).toBe(0);
    const dry = await controlPlaneFixture((made) => applying(planWith('create'), {}, made));
    expect((await dry.sluice('apply', '--dry-run')).code).toBe(2);
    expect([...same.calls, ...dry.calls]).toEqual([]);
  });

  it.each(['delete', 'replace'] as const)('wants --yes for a %s where nobody can be asked, and changes nothing without', async (action) => {
    const fixture = await controlPlaneFixture((made) => applying(planWith('create', action), {}, made));
    const { code, stderr } = await fixture.sluice('apply');
    expect(code).toBe(64);
    expect(stderr).toContain(`${action} default/database/db-1`);
    expect(stderr).toContain('Pass --yes');
    expect(fixture.calls).toEqual([]);
    expect((await fixture.sluice('apply', '--yes')).code).toBe(0);
    expect(fixture.calls).toEqual([`apply ${planWith().id}`]);
  });

  it('tells every failure in full and ends with 1', async () => {
    const error = { code: 'internal_error' as const, message: 'the disk\nis full', help: 'make room', retry: 'retry' as const };
    const changes = [
      { address: 'default/database/db-0' as const, action: 'create' as const, status: 'failed' as const, error },
      { address: 'default/database/db-1' as const, action: 'create' as const, status: 'skipped' as const },
    ];
    const fixture = await controlPlaneFixture((made) => applying(planWith('create', 'create'), { status: 'failed', changes }, made));
    const { code, stderr } = await fixture.sluice('apply');
    expect(code).toBe(1);
    expect(stderr).toContain('default/database/db-0  internal_error\n  the disk\n  is full\n  help: make room\n');
    expect(stderr).toContain('error[run_failed]: 1 change failed and 1 was skipped because of it.');
  });

  it('cancels the run at Ctrl-C and ends with 130', async () => {
    const plan = planWith('create');
    const fixture = await controlPlaneFixture((made) => {
      const dependencies = applying(plan, { status: 'cancelled' }, made);
      const id = 'run-0123456789abcdef';
      return {
        ...dependencies,
        runs: {
          ...dependencies.runs,
          start: async () => {
            const address = 'default/database/db-0';
            await made().events.publish({ type: 'change.started', level: 'info', message: '', run: id, address });
            return { ...(await dependencies.runs.get(id)), status: 'running' as const };
          },
          cancel: async () => {
            made().calls.push('cancel');
            await made().events.publish({ type: 'run.finished', level: 'info', message: 'cancelled', run: id });
            return dependencies.runs.get(id);
          },
        },
      };
    });
    const { terminal, ended } = fixture.start('apply');
    await until('the run to be followed', () => terminal.stderr().includes('creating'));
    process.emit('SIGINT');
    expect(await ended).toBe(130);
    expect(fixture.calls).toEqual(['cancel']);
    expect(terminal.stderr()).toMatch(/Cancelling: [^]*Cancelled after 3\.0s: /);
  });
});

describe('destroy', () => {
  it('always asks, and says what would go', async () => {
    const fixture = await controlPlaneFixture((made) => applying(planWith('delete'), { mode: 'destroy' }, made));
    expect((await fixture.sluice('destroy')).code).toBe(64);
    const { code, stdout } = await fixture.sluice('destroy', '--yes');
    expect(code).toBe(0);
    expect(stdout).toContain('Destroyed in 3.0s: 1 deleted.');
    expect(fixture.orders.map(({ mode }) => mode)).toEqual(['destroy', 'destroy']);
  });
});

describe('state', () => {
  it('lists and shows what is recorded, and forgets it only when that is agreed', async () => {
    const fixture = await controlPlaneFixture();
    await addResource(fixture, 'database', 'orders');
    expect((await fixture.sluice('state', 'list')).stdout).toContain('default/database/orders  ready');
    expect(JSON.parse((await fixture.sluice('state', 'show', 'database/orders')).stdout)).toMatchObject({
      id: 'id-orders',
      outputs: { url: { secret: true } },
    });
    expect((await fixture.sluice('state', 'rm', 'database/orders')).code).toBe(64);
    expect(fixture.calls).toEqual([]);
    const { code, stdout } = await fixture.sluice('state', 'rm', 'default/database/orders', '--yes');
    expect([code, stdout]).toEqual([0, 'Forgot default/database/orders. To take it back: sluice import database/orders id-orders\n']);
    expect(fixture.calls).toEqual(['forget default/database/orders by admin']);
    expect((await fixture.sluice('state', 'rm', 'database/other', '--yes')).code).toBe(1);
  });
});

describe('up and down', () => {
  it('up --detach ends with URLs and a request to paste', async () => {
    const fixture = await controlPlaneFixture((made) => applying(planWith('create'), {}, made));
    const { code, stdout } = await fixture.sluice('up', '--detach');
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nhello {2}http:\/\/hello\.localhost:7080\/\n {2}curl -sS http:\/\/hello\.localhost:7080\/\n/);
    expect(fixture.calls).toEqual([`apply ${planWith().id}`]);
  });

  it('up waits for services that are still being resumed', async () => {
    let asked = 0;
    const fixture = await controlPlaneFixture((made) => ({
      ...applying(planWith('none'), {}, made),
      services: {
        ...servicesOf([service], made),
        list: () => Promise.resolve([{ ...service, replicas: { desired: 2, ready: (asked += 1) > 2 ? 1 : 0 } }]),
      },
    }));
    const { stdout, stderr } = await fixture.sluice('up', '--detach');
    expect(stderr).toContain('Waiting for hello (0/2) …');
    expect(stdout).not.toContain('not ready');
    expect(asked).toBe(3);
  });

  it('up follows events until Ctrl-C, then stops everything and waits for the end', async () => {
    const fixture = await controlPlaneFixture((made) => applying(planWith('create'), {}, made));
    const before = process.listenerCount('SIGINT');
    const { terminal, ended } = fixture.start('up');
    await until('it to be up', () => terminal.stderr().includes('Following events'));
    await fixture.events.publish({ type: 'instance.ready', level: 'info', message: 'one more is ready' });
    await until('the event to be shown', () => terminal.stderr().includes('one more is ready'));
    process.emit('SIGINT');
    expect(await ended).toBe(0);
    expect(fixture.calls).toEqual([`apply ${planWith().id}`, 'shutdown stop']);
    expect(terminal.stderr()).toMatch(/Stopping; data is kept[^]*Stopped\. /);
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  it('up ends well when everything is stopped from elsewhere', async () => {
    const fixture = await controlPlaneFixture((made) => applying(planWith('none'), {}, made));
    await fixture.events.publish({ type: 'control_plane.stopped', level: 'info', message: 'last time', data: { workloads: 'stop' } });
    const { terminal, ended } = fixture.start('up');
    await until('it to be up', () => terminal.stderr().includes('Following events'));
    await fixture.events.publish({ type: 'control_plane.stopped', level: 'info', message: 'handed over', data: { workloads: 'keep' } });
    await until('the event to be shown', () => terminal.stderr().includes('handed over'));
    await fixture.events.publish({ type: 'control_plane.stopped', level: 'info', message: 'all is over', data: { workloads: 'stop' } });
    expect(await ended).toBe(0);
    expect(terminal.stderr()).toMatch(/Following[^]*handed over[^]*all is over[^]*Stopped from elsewhere/);
    expect(terminal.stderr()).not.toContain('last time');
    expect(fixture.calls).toEqual([]);
  });

  it('following ends with an error soon after the control plane has ended for good', async () => {
    const fixture = await controlPlaneFixture();
    const home = { home: join(fixture.directory, '.sluice'), root: fixture.directory };
    const terminal = capturedTerminal(fixture.directory);
    const connection = await connect(home, terminal);
    await fixture.events.publish({ type: 'run.started', level: 'info', message: 'before the end' });
    const following = followWhileAlive(connection, home, { after: 0, signal: new AbortController().signal }, terminal, 0);
    await until('an event to be shown', () => terminal.stderr().includes('before the end'));
    await connection.client.shutdown({ workloads: 'stop' });
    await expect(following).rejects.toMatchObject({ code: 'control_plane_unreachable' });
  });

  it('down stops everything and says that data is kept', async () => {
    const fixture = await controlPlaneFixture();
    expect(await fixture.sluice('down')).toMatchObject({ code: 0, stdout: expect.stringContaining('Stopped.') as string });
    expect(fixture.calls).toEqual(['shutdown stop']);
    expect((await fixture.sluice('down', '--json')).stdout).toContain('"stopped": false');
  });
});
