import { argv, exit } from 'node:process';
import { parseArgs } from 'node:util';
import { until } from '../../../testing/conditions.ts';
import type { GatewayCounts } from '../../measuring/report.ts';
import { createGatewayProcesses } from '../gateway-processes.ts';
import { createLoad } from '../load.ts';

// `npm run soak:engines`: a gateway whose engine is changed again and again under load. Ends with 1 when a request failed or was not counted.

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    changes: { type: 'string', default: '40' },
    clients: { type: 'string', default: '8' },
    between: { type: 'string', default: '200' },
  },
});
const [changes, clients, between] = [values.changes, values.clients, values.between].map(Number) as [number, number, number];

const requestsIn = ({ releases }: GatewayCounts): number => releases.reduce((sum, { requests }) => sum + requests, 0);

const gateway = await createGatewayProcesses((_req, res) => void res.end('ok'));
let failed = 0;
try {
  await gateway.start();
  await gateway.route();
  for (let change = 1; change <= changes; change += 1) {
    const load = createLoad(gateway.publicPort, { clients });
    const engine = change % 2 === 1 ? 'haproxy' : 'embedded';
    await until('load', () => load.answered() > between);
    const began = performance.now();
    await gateway.setEngine(engine);
    await until('the other to serve', async () => {
      const report = await (await gateway.admin()).report().catch(() => undefined);
      return report?.engine === engine && !report.stopping;
    });
    const took = Math.round(performance.now() - began);
    const before = load.answered();
    await until('load', () => load.answered() > before + between);
    const failures = await load.stop();
    failed += failures.length;
    const lost = failures.map(({ began: at, reason }) => `${reason} after ${Math.round(at - began)} ms`);
    console.log(`${change} ${engine} in ${took} ms, ${load.answered()} answered`, ...lost);
    const counted = requestsIn(await (await gateway.admin()).counts());
    console.log(`  counted ${counted}`);
  }
} finally {
  await gateway.remove();
}
console.log(`${failed} failed`);
exit(failed === 0 ? 0 : 1);
