import type { Client } from '../../api/client.ts';
import type { ServiceView } from '../../api/schemas/service.ts';
import { systemClock, type Clock } from '../../effects/clock.ts';
import { createLiveArea } from '../progress/live-area.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { truncate } from '../terminal/text.ts';

const patienceMs = 60_000;

/**
 * Waits until every service of the environment has an instance that is ready; after a start they are still being resumed. Gives the
 * services as they are then, or when patience or the signal ends it.
 */
export async function waitUntilReady(
  client: Client,
  environment: string,
  terminal: Terminal,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<readonly ServiceView[]> {
  const deadline = clock.monotonic() + patienceMs;
  let services = await client.listServices(environment);
  if (services.every(isReady)) return services;
  const picture = (): readonly string[] => {
    const waiting = services
      .filter((service) => !isReady(service))
      .map(({ name, replicas: { ready, desired } }) => `${name} (${ready}/${desired})`);
    return waiting.length === 0 ? [] : [truncate(`Waiting for ${waiting.join(', ')} …`, (terminal.err.width() ?? 80) - 1)];
  };
  const area = terminal.err.live ? createLiveArea(terminal.err, picture) : undefined;
  if (!area) terminal.err.write(`${picture().join('\n')}\n`);
  try {
    while (!services.every(isReady) && !signal.aborted && clock.monotonic() < deadline) {
      await clock.sleep(200, signal).catch(() => undefined);
      services = await client.listServices(environment);
    }
    return services;
  } finally {
    area?.end();
  }
}

function isReady({ replicas: { ready, desired } }: ServiceView): boolean {
  return ready >= Math.min(1, desired);
}
