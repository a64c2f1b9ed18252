import { expect, it } from 'vitest';
import { sluiceError } from '../errors/sluice-error.ts';
import { until } from '../testing/conditions.ts';
import { address, createServiceFixture, newOperation } from './testdata/service-fixture.ts';

it('is made through the gateway as well: waits while that is away, and takes back what answers by itself only', async () => {
  const fixture = await createServiceFixture();
  const rest = ['health: { path: /healthz, interval: 100ms }', 'expose: { host: agent.localhost }', 'drain: 1s'];
  const green = 'rollout: { strategy: blue_green, smoke: { path: /selftest } }';
  const update = async (word: string) => {
    const request = await fixture.request(await fixture.stack([...rest, green, `env: { WORD: ${word} }`]));
    return fixture.provider.update({ ...request, current: await fixture.resource() }, newOperation());
  };
  const asked: string[] = [];
  const answers = (answer: () => ReturnType<typeof fixture.traffic.ask>) => {
    fixture.traffic.ask = (_, { host, headers }, { path }) => {
      asked.push(`${host}${path} ${headers['x-sluice-release']}`);
      return answer();
    };
  };
  const status = () => fixture.controller.describe(address);
  try {
    await fixture.apply([...rest, green]);
    answers(() => Promise.reject(sluiceError('gateway_unreachable', { reason: 'it is being replaced' })));
    await update('second');
    await until('it to be asked again', () => asked.length > 1);
    const before = await status();
    expect(before?.rollout).toMatchObject({
      weight: 0,
      waits: { for: 'smoke', message: '/selftest of 1 instance and through the gateway' },
    });
    expect(new Set(asked)).toEqual(new Set([`agent.localhost/selftest ${before?.rollout?.release}`]));
    answers(() => Promise.resolve({ ready: false, reason: '/selftest answered 403' }));
    await until('it to be taken back', async () => (await status())?.failure !== undefined);
    expect(await status()).toMatchObject({
      release: before?.release,
      failure: { reason: 'its smoke check failed: agent.localhost through the gateway: /selftest answered 403' },
    });
  } finally {
    await fixture.dispose();
  }
});
