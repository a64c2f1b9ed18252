import { afterEach, beforeEach, expect, test } from 'vitest';
import { isAlive } from '../../effects/processes.ts';
import { until } from '../../testing/conditions.ts';
import { createGatewayProcesses, gatewayProgram, type GatewayProcesses } from '../testing/gateway-processes.ts';
import { ask } from '../testing/raw-client.ts';
import { backend } from '../testing/rig.ts';
import type { GatewayCounts } from './report.ts';

let gateway: GatewayProcesses;
beforeEach(async () => {
  gateway = await createGatewayProcesses((_req, res) => void res.end('ok'));
  await gateway.start();
});
afterEach(() => gateway.remove());

const counts = async (): Promise<GatewayCounts | undefined> => (await gateway.admin()).counts().catch(() => undefined);
const unitsOf = (of: GatewayCounts): number => (of.evidence[0]?.strata ?? []).reduce((sum, { units }) => sum + units, 0);
const requestsOf = (of: GatewayCounts): number => of.releases.reduce((sum, { requests }) => sum + requests, 0);
const come = async (users: number): Promise<void> => {
  for (let user = 0; user < users; user += 1) await ask(gateway.publicPort, { headers: { 'x-user': `user-${user}` } });
};
/** As soon as as many users are counted, and all of these requests: who comes again could only have been counted by then. */
const counted = (users: number, requests: number): Promise<GatewayCounts> =>
  until(`${users} users to be counted`, async () => {
    const found = await counts();
    return found !== undefined && requestsOf(found) >= requests && unitsOf(found) >= users ? found : undefined;
  });
const killed = async (what: 'main process' | 'group'): Promise<void> => {
  const main = await gateway.main();
  process.kill(what === 'group' ? -main.pid : main.pid, 'SIGKILL');
  await until('it to be gone', () => !isAlive(main));
};

test('a user is counted once, whether the gateway is replaced, its main process killed, or all of it', async () => {
  const split = { salt: 'app', affinity: { by: 'header', name: 'x-user' } } as const;
  const backends = [backend('r2', 1, { b: gateway.upstreamPort }), backend('r1', 1, { a: gateway.upstreamPort })];
  await gateway.route({ backends, split, evidence: { id: 'rollout', latencyThresholdsMs: [] } });
  await come(30);
  const first = await counted(30, 30);
  const life = first.evidenceEpoch;
  expect(unitsOf(first)).toBe(30);

  const before = await gateway.main();
  await (await gateway.admin()).handOver(gatewayProgram, 10_000);
  await until('another process', async () => (await gateway.main()).pid !== before.pid);
  await come(40);
  const replaced = await counted(40, 70);
  expect([unitsOf(replaced), replaced.evidence[0]?.lost, replaced.epoch]).toEqual([40, { units: 0, chances: 0 }, first.epoch]);

  await killed('main process');
  // By those who have no main process, at first.
  await come(50);
  const orphaned = await counted(50, 50);
  expect([unitsOf(orphaned), requestsOf(orphaned), orphaned.evidenceEpoch]).toEqual([50, 50, life]);

  await killed('group');
  await gateway.start();
  await come(60);
  const again = await counted(60, 60);
  expect([unitsOf(again), again.evidenceEpoch, again.evidence[0]?.lost]).toEqual([60, life, { units: 0, chances: 0 }]);
});
