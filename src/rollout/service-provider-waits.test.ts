import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../testing/conditions.ts';
import { address, createServiceFixture, newOperation, type ServiceFixture } from './testdata/service-fixture.ts';

const http = ['health: { path: /healthz, interval: 100ms, start_period: 20s }', 'drain: 60s', 'expose: { host: agent.localhost }'];

describe('a service whose gateway is not as it was', () => {
  let fixture: ServiceFixture;
  beforeEach(async () => {
    fixture = await createServiceFixture();
    await fixture.apply(http);
  });
  afterEach(async () => {
    await fixture.dispose();
  });

  const gatewayIsAway = (): void => {
    fixture.traffic.publish = () => Promise.reject(new Error('the gateway is away'));
    fixture.traffic.remove = () => Promise.reject(new Error('the gateway is away'));
  };
  const cancelled = { code: 'rollout_wait_cancelled' };

  it('is waited for only as long as somebody wants it to be deleted, suspended or resumed', async () => {
    const resource = await fixture.resource();
    gatewayIsAway();
    const cancel = new AbortController();
    const lines: string[] = [];
    const deletion = fixture.provider.delete(resource, newOperation({ signal: cancel.signal, progress: (line) => lines.push(line) }));
    await until('it to wait', () => lines.length > 0);
    cancel.abort();
    await expect(deletion).rejects.toMatchObject(cancelled);
    await expect(fixture.provider.suspend(resource, cancel.signal)).rejects.toMatchObject(cancelled);
    await fixture.replaceController();
    await fixture.provider.resume(resource, cancel.signal);
    expect((await fixture.controller.describe(address))?.phase).not.toBe('ready');
  });

  it('is observed where it is reached now', async () => {
    const resource = await fixture.resource();
    fixture.traffic.internalUrl = () => Promise.resolve('http://127.0.0.1:7999');
    fixture.traffic.publicUrl = () => Promise.resolve('http://127.0.0.1:7888');
    expect(await fixture.provider.read(resource)).toEqual({
      status: 'present',
      drift: [],
      outputs: { url: { value: 'http://127.0.0.1:7999/agent' }, public_url: { value: 'http://agent.localhost:7888/' } },
    });
  });
});

it('gives the environment back while a candidate by stages does not get ready, and a later release takes its place', async () => {
  const fixture = await createServiceFixture();
  const canary = 'rollout: { strategy: canary, steps: [{ weight: 20, approval: true }] }';
  const update = async (word: string) => {
    const request = await fixture.request(await fixture.stack([...http, canary, `env: { MODE: ${word} }`]));
    return fixture.provider.update({ ...request, current: await fixture.resource() }, newOperation());
  };
  try {
    await fixture.apply([...http, canary]);
    const hanging = await update('never-ready');
    const ended = hanging.goesOn?.end(newOperation());
    await fixture.controller.operate(address, { type: 'pause' }, { by: 'ada', why: 'a complaint' });
    expect((await fixture.controller.describe(address))?.rollout?.waits).toEqual({ for: 'resume', message: 'paused by ada: a complaint' });
    const next = await update('fine');
    await expect(ended).rejects.toMatchObject({ code: 'rollout_superseded' });
    await until('the next to have its share', async () => (await fixture.controller.describe(address))?.rollout?.weight === 20);
    const promoted = next.goesOn?.end(newOperation());
    await fixture.controller.operate(address, { type: 'promote', full: true }, { by: 'ada' });
    await promoted;
    expect((await next.goesOn?.finish(newOperation()))?.outputs['release']?.value).toBe(
      (await fixture.controller.describe(address))?.release,
    );
    await update('never-ready');
    await fixture.controller.operate(address, { type: 'abort' }, { by: 'eve', why: 'wrong tone' });
    expect((await fixture.controller.rollouts(address))[0]).toMatchObject({ reason: 'aborted by eve: wrong tone', endedBy: 'eve' });
  } finally {
    await fixture.dispose();
  }
});
