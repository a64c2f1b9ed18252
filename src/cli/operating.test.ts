import { describe, expect, it } from 'vitest';
import { sluiceError } from '../errors/sluice-error.ts';
import { knownDrift, knownHolder, knownRun } from '../api/testdata/api-fixture.ts';
import { addResource, applying, controlPlaneFixture, planWith } from './testdata/control-plane-fixture.ts';

const environments = () =>
  Promise.resolve({
    version: '1',
    home: '/',
    root: '/',
    pid: 1,
    startedAt: knownHolder.since,
    phase: 'ready' as const,
    lastEvent: 0,
    gateway: { running: false },
    environments: [{ name: 'production', resources: 1, services: 1 }],
  });

describe('unlock', () => {
  it('says whom it would interrupt, and does nothing when nobody can be asked', async () => {
    const fixture = await controlPlaneFixture(() => ({ status: environments }));
    const { code, stdout, stderr } = await fixture.sluice('unlock');
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(
      /production is being changed by run-[0-9a-f]+ \(apply\) of 'ann', on host elsewhere, process 12, since \d+[smhd]\./,
    );
    expect(stderr).toContain('Pass --yes');
    expect(await fixture.audit.last()).toBe(0);
  });

  it('unlocks the one that was shown, and the audit log has the reason', async () => {
    const fixture = await controlPlaneFixture();
    const { code, stdout } = await fixture.sluice('unlock', '-e', 'production', '--yes', '--reason', 'host lost');
    expect([code, stdout]).toEqual([0, `Unlocked production; ${knownRun.id} changes nothing more.\n`]);
    expect((await fixture.audit.read(0, 9))[1]).toMatchObject({
      action: 'environment.unlock',
      reason: 'host lost',
      details: { since: knownHolder.since },
    });
  });

  it('is content when nobody is at work', async () => {
    const locks = {
      get: (environment: string) => Promise.resolve({ environment }),
      unlock: (environment: string) => Promise.reject(sluiceError('not_locked', { environment })),
    };
    const fixture = await controlPlaneFixture(() => ({ locks }));
    expect(await fixture.sluice('unlock', '-e', 'production')).toMatchObject({ code: 0, stderr: 'Nobody is changing production.\n' });
  });
});

describe('drift', () => {
  it('shows each field, and ends with 2', async () => {
    const fixture = await controlPlaneFixture(() => ({ status: environments }));
    expect(await fixture.sluice('drift')).toMatchObject({
      code: 2,
      stdout: 'production\n  database/db  changed\n    settings.max_connections: 200 → 10\n',
    });
    expect(JSON.parse((await fixture.sluice('drift', '--json')).stdout)).toEqual([knownDrift]);
  });

  it('ends with 0 when there is none, also with --repair', async () => {
    const drift = {
      find: (environment: string) => Promise.resolve({ ...knownDrift, environment, items: [] }),
      repair: (environment: string) => Promise.reject(sluiceError('nothing_drifted', { environment })),
      accept: () => Promise.reject(new Error('not asked for')),
    };
    const fixture = await controlPlaneFixture(() => ({ status: environments, drift }));
    expect(await fixture.sluice('drift', '--repair')).toMatchObject({ code: 0, stdout: 'production: no drift (3 resources read)\n' });
  });

  it('repairs by a run that is watched, once agreed', async () => {
    const fixture = await controlPlaneFixture((made) => {
      const { plans, runs } = applying(planWith('update'), {}, made);
      const repair = () => runs.start('plan-0123456789abcdef', { actor: { key: 'key-1', name: 'ann', role: 'admin' } });
      const drift = { find: () => Promise.resolve(knownDrift), accept: () => Promise.resolve(knownDrift), repair };
      return { status: environments, plans, runs, drift };
    });
    expect((await fixture.sluice('drift', '--repair')).code).toBe(64);
    const { code, stdout, stderr } = await fixture.sluice('drift', '--repair', '--yes');
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nApplied in .*: 1 updated\.\n$/);
    expect(stderr).toContain('✔ database/db-0: updated');
  });

  it('accepts once agreed, and takes one of the two at a time', async () => {
    const fixture = await controlPlaneFixture(() => ({ status: environments }));
    expect(await fixture.sluice('drift', '--accept', '--yes')).toMatchObject({ code: 0, stderr: 'Accepted in production.\n' });
    expect((await fixture.sluice('drift', '--accept', '--repair')).code).toBe(64);
    expect((await fixture.audit.read(0, 9)).at(-1)).toMatchObject({ action: 'drift.accept', outcome: 'succeeded' });
  });
});

describe('audit', () => {
  it('lists a change as one line, with who, what, why and outcome', async () => {
    const fixture = await controlPlaneFixture();
    await addResource(fixture, 'service', 'hello');
    await fixture.sluice('scale', 'hello', '4', '-e', 'default', '--reason', 'more load');
    const { code, stdout } = await fixture.sluice('audit');
    expect(code).toBe(0);
    expect(stdout).toMatch(/NR {2}TIME .*WHO .*WHAT .*TO .*OUTCOME .*WHY/);
    expect(stdout).toMatch(
      /\n 1 {2}[\d-]+ [\d:]+ {2}admin {2}service\.scale {2}default\/service\/hello replicas=4 {2}succeeded {2}more load\n/,
    );
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(JSON.parse((await fixture.sluice('audit', '--json')).stdout)).toHaveLength(2);
  });

  it('verify ends with 1 and names the record when it was touched', async () => {
    const fixture = await controlPlaneFixture();
    const untouched = { ok: true, records: 2, head: 'sha256:1', findings: [] };
    fixture.audit.verify = async () => untouched;
    expect(await fixture.sluice('audit', 'verify')).toMatchObject({
      code: 0,
      stdout: 'The audit log is as it was written: 2 records, head sha256:1.\n',
    });
    fixture.audit.verify = async () => ({
      ok: false,
      records: 2,
      findings: [{ sequence: 2, problem: 'it was changed after it was written' }],
    });
    const { code, stderr } = await fixture.sluice('audit', 'verify');
    expect([code, stderr]).toEqual([1, 'The audit log was touched: 2 records.\n  record 2: it was changed after it was written\n']);
    expect((await fixture.sluice('audit', 'nonsense')).code).toBe(64);
  });
});
