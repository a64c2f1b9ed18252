import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../digest/json.ts';
import { identify } from '../effects/processes.ts';
import { describeProviderContract } from '../providers/contract/provider-contract.ts';
import { until } from '../testing/conditions.ts';
import { address, createServiceFixture, newOperation, type ServiceFixture } from './testdata/service-fixture.ts';

const http = ['health: { path: /healthz, interval: 100ms, start_period: 20s }'];

describeProviderContract('service', async () => {
  const fixture = await createServiceFixture();
  const { references: _, ...create } = await fixture.request(await fixture.stack(http));
  const breakIt = (): Promise<void> => fixture.controller.scale(address, 2);
  return {
    provider: fixture.provider,
    samples: [{ kind: 'service', create, update: { replicas: 2 }, breakIt }],
    dispose: () => fixture.dispose(),
  };
});

describe('a service', () => {
  let fixture: ServiceFixture;
  beforeEach(async () => {
    fixture = await createServiceFixture();
  });
  afterEach(async () => {
    await fixture.dispose();
  });

  const status = async () => (await fixture.controller.describe(address)) ?? expect.fail('there is no such service');
  const readyPids = async (): Promise<number[]> =>
    (await status()).instances.filter(({ state }) => state === 'ready').map(({ pid }) => pid ?? 0);
  const settled = () => fixture.controller.waitFor(address, new AbortController().signal, () => undefined);

  it('comes up with its release, tells how far it is, and gives its instances what they need and no more', async () => {
    const lines: string[] = [];
    const fields = [
      ...http,
      'replicas: 2',
      'env: { LOG_LEVEL: info }',
      'model: { name: m, version: "1" }',
      'expose: { host: agent.localhost }',
    ];
    const outputs = await fixture.apply(fields, { progress: (line) => lines.push(line) });
    const { release, instances, ...rest } = await status();
    expect(outputs).toEqual({ url: 'http://127.0.0.1:7081/agent', public_url: 'http://agent.localhost:7080/', release });
    expect(rest).toMatchObject({
      phase: 'ready',
      version: '1.0.0',
      replicas: { desired: 2, ready: 2 },
      urls: ['http://agent.localhost:7080/'],
    });
    expect(lines).toEqual(expect.arrayContaining([`release ${release}`, '0/2 instances ready']));
    const [instance] = instances;
    const seen = (await (await fetch(`http://${instance?.host}:${instance?.port}/`)).json()) as Record<string, string>;
    const { PATH: _, HOME: __, PORT: ___, HOST: ____, SLUICE_TOKEN: token = '', __CF_USER_TEXT_ENCODING: _____, ...environment } = seen;
    expect(environment).toEqual({
      LOG_LEVEL: 'info',
      SLUICE_ENVIRONMENT: 'default',
      SLUICE_SERVICE: 'agent',
      SLUICE_RELEASE: release,
      SLUICE_INSTANCE: instance?.id,
      SLUICE_SERVICES_URL: 'http://127.0.0.1:7081',
      SLUICE_MODEL: '{"name":"m","parameters":{},"version":"1"}',
    });
    const stored = JSON.stringify([await fixture.store.list('services'), await fixture.events.read(0, 1_000)]);
    expect([token.length > 40, stored.includes(token)]).toEqual([true, false]);
    expect(fixture.traffic.route({ environment: 'default', name: 'agent' })?.backends).toMatchObject([{ release, weight: 2 }]);
  });

  it('gets other limits, another cache and other rules of balancing by its route alone: no release, no instance', async () => {
    const route = () => fixture.traffic.route({ environment: 'default', name: 'agent' });
    const before = await fixture.apply([...http, 'limits: { concurrency: 4 }', 'cache: { ttl: 30s }']);
    expect(route()).toMatchObject({ limits: { concurrency: 4, queue: 128 }, cache: { ttlMs: 30_000 } });
    const instances = (await status()).instances.map(({ id, pid }) => [id, pid]);
    const rules = [
      'limits: { concurrency: 8, rate: [{ requests: 5 }] }',
      'outliers: { failures: 2 }',
      'slow_start: 3s',
      'retries: { budget: 0 }',
    ];
    expect(await fixture.apply([...http, ...rules])).toEqual(before);
    expect(route()).toMatchObject({
      limits: { concurrency: 8 },
      rateLimits: [{ key: { by: 'client' }, requests: 5 }],
      outliers: { consecutiveFailures: 2 },
      slowStartMs: 3_000,
      retryBudget: 0,
    });
    expect(route()?.cache).toBeUndefined();
    expect((await status()).instances.map(({ id, pid }) => [id, pid])).toEqual(instances);
    expect((await fixture.events.read(0, 1_000)).filter(({ type }) => type === 'rollout.started')).toHaveLength(1);
  });

  it('takes a failed release back, tells why with the end of its log but without secrets, and goes on with the stable one', async () => {
    const secret = { sealed: fixture.vault.seal('"canary-secret-value"') };
    const state = {
      address: 'default/secret/key',
      kind: 'secret',
      name: 'key',
      environment: 'default',
      status: 'ready',
      outputs: { value: secret },
    };
    await fixture.store.transact([
      { operation: 'put', collection: 'resources', key: 'default/secret/key', value: state as unknown as Json },
    ]);
    await fixture.apply(http);
    const before = await readyPids();
    const recorded = await fixture.resource();
    const request = await fixture.request(
      await fixture.stack([...http, 'env: { MODE: broken, SECRET: "${secret.key}" }'], 'secret: { name: key, value: { env: KEY } }\n'),
    );
    const failure = await fixture.provider.update({ ...request, current: await fixture.resource() }, newOperation()).then(
      () => expect.fail('the rollout should have failed'),
      (error: unknown) => error as Error,
    );
    expect(failure).toMatchObject({ code: 'rollout_failed', message: expect.stringContaining('ended with exit code 7') });
    expect(failure.message).toContain('cannot work with the key [secret]');
    expect(failure.message).not.toContain('canary-secret-value');
    expect([await readyPids(), (await status()).phase]).toEqual([before, 'failed']);
    // What is recorded runs. Where the run that would have recorded the failure was cut short, it does not.
    expect(await fixture.provider.read(recorded)).toMatchObject({ drift: [] });
    const asBegun = { ...recorded, declared: request.declared, fingerprint: request.fingerprint };
    expect(await fixture.provider.read(asBegun)).toMatchObject({ drift: [{ field: 'release', because: 'taken back by its rollout' }] });
    expect(JSON.stringify(await fixture.store.list('services'))).not.toContain('canary-secret-value');
    await fixture.apply(http);
    expect([await readyPids(), (await status()).phase]).toEqual([before, 'ready']);
  });

  it('is scaled and restarted, which a read sees as drift and not at all', async () => {
    await fixture.apply(http);
    const before = await readyPids();
    await fixture.controller.restart(address);
    await settled();
    expect((await readyPids()).some((pid) => before.includes(pid))).toBe(false);
    expect(await fixture.provider.read(await fixture.resource())).toMatchObject({ drift: [] });
    await fixture.controller.scale(address, 3);
    await settled();
    expect(await readyPids()).toHaveLength(3);
    expect(await fixture.provider.read(await fixture.resource())).toMatchObject({
      drift: [{ field: 'replicas', applied: 1, observed: 3 }],
    });
    await expect(fixture.controller.scale('default/service/other', 1)).rejects.toMatchObject({ code: 'unknown_service' });
  });

  it('goes on while its control plane is away, is adopted, and what belongs to no service is stopped', async () => {
    await fixture.apply(http);
    const [pid] = await readyPids();
    const stranger = {
      id: 'stranger-1',
      service: 'default/service/gone',
      release: 'r-1',
      command: ['sleep', '60'],
      directory: fixture.root,
      environment: {},
    } as const;
    const orphan = await fixture.workloads.start(stranger);
    await fixture.replaceController();
    await settled();
    expect(await readyPids()).toEqual([pid]);
    await until('the orphan is gone', async () => (await fixture.workloads.list()).length === 1 && identify(orphan.pid) === undefined);
    const events = await fixture.events.read(0, 1_000);
    expect(events.filter(({ type }) => type === 'instance.adopted')).toHaveLength(1);
    process.kill(pid ?? 0, 'SIGKILL');
    await until('it was started again', async () =>
      (await status()).instances.some(({ state, restarts }) => state === 'ready' && restarts === 1),
    );
  });

  it('is not held up by another service that cannot be understood or published, and says what its own trouble is', async () => {
    await fixture.store.transact([{ operation: 'put', collection: 'services', key: 'default/poison', value: { instances: 7 } }]);
    const spec = {
      id: 'poison-1',
      service: 'default/service/poison',
      release: 'r-1',
      command: ['sleep', '60'],
      directory: fixture.root,
      environment: {},
    } as const;
    const { pid } = await fixture.workloads.start(spec);
    await fixture.replaceController();
    await fixture.apply(http);
    expect((await fixture.controller.list()).map(({ name, phase }) => [name, phase])).toEqual([['agent', 'ready']]);
    await expect(fixture.controller.describe('default/service/poison')).rejects.toMatchObject({ code: 'service_state_damaged' });
    expect(identify(pid)).toBeDefined();
    fixture.traffic.publish = () => Promise.reject(new Error('the gateway is away'));
    await fixture.controller.scale(address, 2);
    await until('its trouble is told', async () => (await status()).message?.includes('the gateway is away'));
  });

  it('stays as it is for an operation that is repeated, and starts anew for the next one after a failure', async () => {
    const fields = [...http, 'env: { MODE: broken }'];
    const operation = newOperation();
    await expect(fixture.apply(fields, { id: operation.id })).rejects.toMatchObject({ code: 'rollout_failed' });
    await until('its instances are gone', async () => (await status()).instances.length === 0);
    await expect(fixture.apply(fields, { id: operation.id })).rejects.toMatchObject({ code: 'rollout_failed' });
    expect((await fixture.events.read(0, 1_000)).filter(({ type }) => type === 'rollout.started')).toHaveLength(1);
    await expect(fixture.apply(fields)).rejects.toMatchObject({ code: 'rollout_failed' });
    expect((await fixture.events.read(0, 1_000)).filter(({ type }) => type === 'rollout.started')).toHaveLength(2);
  });

  it('refuses to roll out what has changed since the plan', async () => {
    const request = await fixture.request(await fixture.stack(http));
    await writeFile(join(fixture.root, 'agent', 'agent.js'), 'process.exit(1)\n');
    await expect(fixture.provider.create(request, newOperation())).rejects.toMatchObject({ code: 'source_changed_since_plan' });
    expect(await fixture.controller.describe(address)).toBeUndefined();
  });

  it('leaves no process, route, document, release or log behind, and runs on without the stack until then', async () => {
    await fixture.apply(http);
    await rm(fixture.root, { recursive: true });
    await fixture.controller.restart(address);
    expect(await settled()).toEqual({ outcome: 'ready' });
    const [pid = 0] = await readyPids();
    await fixture.provider.delete(await fixture.resource(), newOperation());
    expect(identify(pid)).toBeUndefined();
    expect(fixture.traffic.route({ environment: 'default', name: 'agent' })).toBeUndefined();
    expect([await fixture.store.list('services'), await fixture.store.list('releases')]).toEqual([[], []]);
    const left = (await readdir(fixture.home, { recursive: true, withFileTypes: true })).filter((entry) => !entry.isDirectory());
    expect(left).toEqual([]);
  });

  it('keeps the files of its release as they were when it was applied', async () => {
    await fixture.apply(http);
    const [release] = await readdir(join(fixture.home, 'releases', 'default', 'agent'));
    const copy = await readFile(join(fixture.home, 'releases', 'default', 'agent', release ?? '', 'source', 'agent.js'), 'utf8');
    expect(copy).toBe(await readFile(join(fixture.root, 'agent', 'agent.js'), 'utf8'));
  });
});
