import { expect, test } from 'vitest';
import { isAlive } from '../../effects/processes.ts';
import { until } from '../../testing/conditions.ts';
import { createGatewayHome } from '../testing/gateway-home.ts';

test('a gateway that lives but does not answer is ended and replaced', { timeout: 60_000 }, async () => {
  const home = await createGatewayHome();
  try {
    const control = home.control();
    await control.start();
    const before = await home.process();
    process.kill(before.pid, 'SIGSTOP');
    await until('it to be replaced', async () => (await home.process()).pid !== before.pid, 40_000);
    expect(isAlive(before)).toBe(false);
    await until('the new one to answer', () => control.status().catch(() => undefined));
    const messages = (await home.events()).map(({ message }) => message);
    expect(messages).toContain(`The gateway (pid ${before.pid}) has ceased to answer; it is ended.`);
  } finally {
    await home.remove();
  }
});
