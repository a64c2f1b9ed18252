// npm run soak:engines -- [--changes 40] [--clients 8] [--between 200] [--kill-every 0]
import { argv, exit } from 'node:process';
import { parseArgs } from 'node:util';
import { until } from '../../../testing/conditions.ts';
import type { GatewayReport } from '../../admin/gateway-report.ts';
import { createGatewayProcesses } from '../gateway-processes.ts';
import { createLoad } from '../load.ts';

// A gateway whose engine is changed again and again under load, every client with a connection of its own for each request. With `--kill-every`
// its main process is killed instead each so many changes, and its counts begin anew. Ends with 1 when a request failed or was not counted.

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    changes: { type: 'string', default: '40' },
    clients: { type: 'string', default: '8' },
    between: { type: 'string', default: '200' },
    'kill-every': { type: 'string', default: '0' },
  },
});
const [changes, clients, between, killEvery] = [values.changes, values.clients, values.between, values['kill-every']].map(Number) as [
  number,
  number,
  number,
  number,
];
const engines = ['embedded', 'haproxy'] as const;
/** On a busy machine. */
const patienceMs = 120_000;

const gateway = await createGatewayProcesses((_req, res) => void res.end('ok'));
const complaints: string[] = [];
let engine: (typeof engines)[number] = 'embedded';
let answered = 0;

const serving = (isIt: (report: GatewayReport) => boolean): Promise<GatewayReport> =>
  until(
    `${engine} to serve`,
    async () => {
      const report = await (await gateway.admin()).report().catch(() => undefined);
      return report?.engine === engine && !report.stopping && isIt(report) ? report : undefined;
    },
    patienceMs,
  );
const counted = async (): Promise<number> => {
  const { releases } = await (await gateway.admin()).counts();
  return releases.reduce((sum, { requests }) => sum + requests, 0);
};

async function step(number: number, isKill: boolean): Promise<void> {
  const { pid } = await gateway.main();
  const load = createLoad(gateway.publicPort, { clients });
  await until('load', () => load.answered() > between);
  const began = performance.now();
  if (isKill) process.kill(pid, 'SIGKILL');
  else {
    engine = engine === 'embedded' ? 'haproxy' : 'embedded';
    await gateway.setEngine(engine);
  }
  await serving((report) => report.pid !== pid);
  const took = Math.round(performance.now() - began);
  const before = load.answered();
  await until('load', () => load.answered() > before + between);
  const failures = await load.stop();
  for (const { reason, began: at } of failures) complaints.push(`${number} ${engine}: ${reason}, asked after ${Math.round(at - began)} ms`);
  answered += load.answered();
  const found = await until('all to be counted', async () => (isKill || (await counted()) >= answered ? await counted() : undefined)).catch(
    counted,
  );
  if (isKill) answered = found;
  else if (found !== answered) complaints.push(`${number} ${engine}: ${answered} answered, ${found} counted`);
  console.log(`${number} ${isKill ? 'killed' : engine} in ${took} ms, ${load.answered()} answered, ${failures.length} failed`);
}

try {
  await gateway.start();
  await gateway.route();
  for (let number = 1; number <= changes; number += 1) await step(number, killEvery > 0 && number % killEvery === 0);
} finally {
  await gateway.remove();
}
console.log(complaints.length === 0 ? 'nothing failed, all was counted' : complaints.join('\n'));
exit(complaints.length === 0 ? 0 : 1);
