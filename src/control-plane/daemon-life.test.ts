import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { systemClock } from '../effects/clock.ts';
import { identify } from '../effects/processes.ts';
import { takeLead } from '../store/lead.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { SluiceEvent } from '../telemetry/events.ts';
import { until } from '../testing/conditions.ts';
import { startControlPlane, wasStoppedCleanly } from './discovery.ts';
import {
  answerOf,
  createDaemonFixture,
  type DaemonFixture,
  gone,
  instances,
  ready,
  type StartedDaemon,
} from './testdata/daemon-fixture.ts';

describe('the life of a control plane', () => {
  let fixture: DaemonFixture;
  let thieves: Server[] = [];
  beforeEach(async () => {
    fixture = await createDaemonFixture();
    thieves = [];
  });
  afterEach(async () => {
    await fixture.dispose();
    for (const thief of thieves) thief.close().closeAllConnections();
  });

  const take = async (url: string): Promise<void> => {
    const thief = createServer((_request, response) => response.end('thief'));
    thieves.push(thief);
    const listens = (): Promise<boolean> =>
      new Promise((resolve) => {
        thief.once('error', () => resolve(false));
        thief.listen(Number(new URL(url).port), '127.0.0.1', () => resolve(true));
      });
    // A test that runs at the same time may have it for a while.
    await until('the port to be taken', listens, 60_000);
  };

  it('answers while it takes up what ran before; what changes something waits for that', async () => {
    const first = await fixture.start();
    await fixture.writeStack(1_500);
    await first.client.waitForRun((await first.client.applyPlan((await first.client.createPlan({ stack: 'stack.yaml' })).id)).id);
    await stop(first);

    const second = await fixture.start();
    expect((await second.client.status()).phase).toBe('starting');
    const plan = await second.client.createPlan({ stack: 'stack.yaml' });
    // While it was down, another test may have taken its port: then its addresses change, and nothing else.
    const changed = plan.changes.flatMap(({ fields }) => fields.map(({ path }) => path));
    expect(changed.filter((path) => !/^outputs\.(public_)?url$/.test(path))).toEqual([]);
    const { phase, lastEvent } = await second.client.status();
    expect(phase).toBe('ready');
    expect((await second.client.listEvents({ after: lastEvent - 1 })).last).toBe(lastEvent);

    // Another one over the same state takes the lead: this one changes nothing more and ends, and what runs goes on.
    const before = await instances(second.client);
    const store = await openSqliteStore({ path: join(fixture.home, 'state.db'), clock: systemClock });
    await takeLead(store, { holder: 'another', clock: systemClock });
    await store.close();
    await expect(second.client.scaleService('default', 'echo', 2)).rejects.toThrow(/another/);
    await gone(second.process);
    expect(before.map((pid) => pid !== undefined && identify(pid) !== undefined)).toEqual([true]);
  });

  it('ends at once when it is told to while it starts', async () => {
    const first = await fixture.start();
    await fixture.deploy(first.client);
    await stop(first);
    await fixture.writeStack(60_000);
    const second = await fixture.start();
    expect((await second.client.status()).phase).toBe('starting');
    const begun = performance.now();
    await stop(second);
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(await wasStoppedCleanly(fixture.home)).toBe(true);
  });

  it('ends everything it has started when its home is removed, and a new one begins from nothing', async () => {
    const first = await fixture.start();
    await fixture.deploy(first.client);
    const { gateway } = await first.client.status();
    const [instance] = await instances(first.client);
    await rm(fixture.home, { recursive: true, maxRetries: 5 });
    await gone(first.process);
    expect([instance, gateway.pid].map((each) => identify(each ?? 0))).toEqual([undefined, undefined]);
    expect(existsSync(fixture.home)).toBe(false);
    const second = await fixture.start();
    await ready(second.client);
    expect((await second.client.status()).environments).toEqual([]);
  });

  it('tells its end to those who follow, and leaves a mark when nothing of it runs any more', async () => {
    const first = await fixture.start();
    await fixture.deploy(first.client);
    const seen: SluiceEvent[] = [];
    const over = new AbortController();
    const following = (async () => {
      for await (const event of first.client.followEvents({ signal: over.signal })) seen.push(event);
    })();
    await until('the events so far', () => seen.some(({ type }) => type === 'run.finished'));
    expect(await wasStoppedCleanly(fixture.home)).toBe(false);
    await stop(first);
    over.abort();
    await following;
    expect(seen.at(-1)).toMatchObject({ type: 'control_plane.stopped', level: 'info', data: { workloads: 'stop', forced: [] } });
    expect(seen.map(({ type }) => type)).toContain('resource.suspended');
    expect(await wasStoppedCleanly(fixture.home)).toBe(true);

    const second = await fixture.start();
    expect(await wasStoppedCleanly(fixture.home)).toBe(false);
    process.kill(second.process.pid, 'SIGKILL');
    await gone(second.process);
    expect(await wasStoppedCleanly(fixture.home)).toBe(false);
  });

  it('comes up on other ports when another stack has taken its own, and a plan converges', async () => {
    const first = await fixture.start();
    await fixture.deploy(first.client);
    const { url: publicUrl = '' } = (await first.client.status()).environments[0] ?? {};
    const servicesUrl = (await answerOf(publicUrl, '/services')).split(' ')[1] ?? '';
    await stop(first);
    await take(publicUrl);
    await take(servicesUrl);
    await take(first.url);

    const second = await fixture.start();
    const plan = await second.client.createPlan({ stack: 'stack.yaml' });
    const changes = plan.changes.flatMap(({ name, action, fields }) => fields.map(({ path }) => `${action} ${name} ${path}`));
    expect(changes.toSorted()).toEqual(['update echo outputs.public_url', 'update echo outputs.url']);
    const before = await instances(second.client);
    expect(await second.client.waitForRun((await second.client.applyPlan(plan.id)).id)).toMatchObject({ status: 'succeeded' });
    expect(await instances(second.client)).toEqual(before);
    const again = await second.client.createPlan({ stack: 'stack.yaml' });
    expect(again.changes.map(({ action }) => action)).toEqual(['none', 'none']);

    const { url: movedUrl = '' } = (await second.client.status()).environments[0] ?? {};
    expect(movedUrl).not.toBe(publicUrl);
    const movedServices = (await answerOf(movedUrl, '/services')).split(' ')[1] ?? '';
    expect(movedServices).not.toBe(servicesUrl);
    const service = await second.client.getResource('default', 'service', 'echo');
    expect(JSON.stringify(service.outputs)).toContain(movedServices);
    const warnings = (await second.client.listEvents({ limit: 1_000 })).items.filter(({ level }) => level === 'warning');
    expect(warnings.map(({ message }) => message).join('\n')).toMatch(
      new RegExp(
        `^Port ${new URL(servicesUrl).port} is taken by another program: services[^]* ${movedServices} now\\.\n` +
          `Port ${new URL(publicUrl).port} is taken by another program: environment 'default'[^]* ${movedUrl}\\.$`,
      ),
    );
  });

  it('waits for its port while instances that know it run, says so in the status, and can still be ended', async () => {
    const first = await fixture.start();
    await fixture.deploy(first.client);
    await ready(first.client);
    const { gateway, environments } = await first.client.status();
    const servicesUrl = (await answerOf(environments[0]?.url ?? '', '/services')).split(' ')[1] ?? '';
    process.kill(first.process.pid, 'SIGKILL');
    // With its workers, which would start another by themselves.
    process.kill(-(gateway.pid ?? Number.NaN), 'SIGKILL');
    await until('the gateway to be gone', () => identify(gateway.pid ?? 0) === undefined);
    await take(servicesUrl);

    const second = await startControlPlane({ home: fixture.home, root: fixture.root });
    expect(second.pid).not.toBe(first.process.pid);
    const { client } = await fixture.start();
    await until('the problem to be told', async () => (await client.status()).gateway.problem?.includes('cannot listen on 127.0.0.1'));
    await stop(await fixture.start());
    expect(await wasStoppedCleanly(fixture.home)).toBe(true);
  });
});

async function stop({ client, process }: StartedDaemon): Promise<void> {
  await client.shutdown({ workloads: 'stop' });
  await gone(process);
}
