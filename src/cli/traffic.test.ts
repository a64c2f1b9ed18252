import { describe, expect, it } from 'vitest';
import { knownGateway } from '../api/testdata/api-fixture.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { until } from '../testing/conditions.ts';
import { controlPlaneFixture } from './testdata/control-plane-fixture.ts';

describe('gateway status', () => {
  it('shows the gateway and the traffic of every release', async () => {
    const { code, stdout } = await (await controlPlaneFixture()).sluice('gateway', 'status');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^gateway {14}pid 99, embedded, up .*, 3 in flight\nenvironment default {2}http:\/\/127\.0\.0\.1:7080\n\nSERVICE {2}/,
    );
    expect(stdout).toMatch(
      /\nhello {4}default {6}r-0123456789ab {4}120 {3}0\.50 {2}4\.2 ms {2}18 ms {2}1\.25 s {10}3 {6}2 {5}0\.10 {3}12\.0 {10}0 {8}1 {2}2\.0 KiB {2}1\.0 MiB\n/,
    );
    expect(stdout).toContain('of the last 10 s');
  });

  it('gives the same as one document, of one environment if asked', async () => {
    const fixture = await controlPlaneFixture();
    expect(JSON.parse((await fixture.sluice('gateway', 'status', '--json')).stdout)).toEqual(knownGateway);
    expect(JSON.parse((await fixture.sluice('gateway', 'status', '--json', '-e', 'other')).stdout)).toMatchObject({
      releases: [],
      queues: [],
    });
  });

  it('says why when there is no gateway', async () => {
    const { code, stderr } = await (
      await controlPlaneFixture(() => ({
        gatewayDesk: {
          upgrade: () => Promise.reject(sluiceError('gateway_unreachable', { reason: 'ECONNREFUSED' })),
          get: () => Promise.reject(sluiceError('gateway_unreachable', { reason: 'ECONNREFUSED' })),
          metrics: () => Promise.resolve({ contentType: 'text/plain', body: '' }),
        },
      }))
    ).sluice('gateway', 'status');
    expect(code).toBe(1);
    expect(stderr).toContain('error[gateway_unreachable]');
  });
});

describe('gateway upgrade', () => {
  it('says which process serves now', async () => {
    const fixture = await controlPlaneFixture();
    expect(await fixture.sluice('gateway', 'upgrade')).toMatchObject({
      code: 0,
      stdout: 'The gateway is process 100 of version 1.2.3 now; process 99 finishes what it had.\n',
    });
    expect(JSON.parse((await fixture.sluice('gateway', 'upgrade', '--json')).stdout)).toEqual({ pid: 100, replaced: 99, version: '1.2.3' });
  });

  it('fails when no successor serves, and says why', async () => {
    const fixture = await controlPlaneFixture(() => ({
      gatewayDesk: {
        get: () => Promise.resolve(knownGateway),
        upgrade: () => Promise.reject(sluiceError('gateway_start_failed', { reason: 'it ended with code 3.' })),
        metrics: () => Promise.resolve({ contentType: 'text/plain', body: '' }),
      },
    }));
    const { code, stderr } = await fixture.sluice('gateway', 'upgrade');
    expect(code).toBe(1);
    expect(stderr).toContain('error[gateway_start_failed]');
  });
});

describe.each([
  ['gateway', 'top'],
  ['gateway', 'status', '-w'],
])('%s %s %s', (...words) => {
  it('shows it again until Ctrl-C', async () => {
    const fixture = await controlPlaneFixture();
    const { terminal, ended } = fixture.start(...words.filter((word) => word !== undefined), '--json');
    await until('the second look', () => terminal.stdout().split('\n').length > 2);
    process.emit('SIGINT');
    expect(await ended).toBe(130);
    for (const line of terminal.stdout().trimEnd().split('\n')) expect(JSON.parse(line)).toEqual(knownGateway);
  });
});
