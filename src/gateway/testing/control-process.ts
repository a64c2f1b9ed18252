import { argv, stdout } from 'node:process';
import { systemClock } from '../../effects/clock.ts';
import { systemRandom } from '../../effects/random.ts';
import { createMemoryStore } from '../../store/memory-store.ts';
import { createEventLog } from '../../telemetry/event-log.ts';
import { createGatewayControl } from '../control/gateway-control.ts';
import { serviceRoute } from '../routing-table.ts';

// A control plane in a process of its own, for tests that kill it: argv is the home and a route; prints the public URL and stays.
const [, , home, route] = argv;
const store = createMemoryStore();
const events = createEventLog({ store, clock: systemClock });
const control = createGatewayControl({
  home: home as string,
  store,
  events,
  clock: systemClock,
  random: systemRandom,
  instancesRun: () => Promise.resolve(false),
});
const parsed = serviceRoute.parse(JSON.parse(route as string));
await control.start();
await control.publish(parsed);
stdout.write(`${await control.publicUrl(parsed.environment)}\n`);
setInterval(() => {}, 60_000);
