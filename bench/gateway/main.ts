// npm run bench:gateway -- [--rounds 3] [--seconds 3] [--engines embedded,workers,haproxy] [--peers nginx,haproxy,caddy,...|none] [--connections 64,1000,10000]
//                          [--cases small,large,close,steady,stream,flip,services,restart] [--services 1000] [--restarts 5] [--rate 1000] [--json]
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findProgram } from '../../src/testing/requires.ts';
import { type Case, cases, measureCase, type Values } from './cases.ts';
import { largeTable } from './large-table.ts';
import { end, openFiles } from './processes.ts';
import { allPeers, proxiesOf, startIn } from './proxies.ts';
import { type Figure, report } from './report.ts';
import { programs, restarts } from './restart.ts';
import { startUpstreams } from './upstreams.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    engines: { type: 'string', default: 'embedded,workers,haproxy' },
    peers: { type: 'string', default: allPeers.join(',') },
    connections: { type: 'string', default: '64,1000,10000' },
    cases: { type: 'string', default: 'small,large,close,steady,stream,flip,services,restart' },
    services: { type: 'string', default: '1000' },
    restarts: { type: 'string', default: '5' },
    rate: { type: 'string', default: '1000' },
    port: { type: 'string', default: '19100' },
    json: { type: 'boolean', default: false },
  },
});

const names = (text: string): readonly string[] => text.split(',').filter((name) => name !== '' && name !== 'none');
for (const program of ['wrk', 'taskset']) {
  if (findProgram(program) === undefined)
    throw new Error(`bench:gateway needs '${program}' on PATH (Debian: apt-get install wrk util-linux)`);
}
if (cpus().length < 2) throw new Error('bench:gateway needs two cores: one for the proxy, one for what loads it');

const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
const { proxies, notes: leftOut } = proxiesOf(names(values.engines), names(values.peers));
const notes = [...leftOut];
const most = Math.floor((openFiles() - 400) / 2);
const connections = names(values.connections).map((count) => Math.min(Number(count), most));
if (connections.includes(most)) notes.push(`${most} connections are the most that ${openFiles()} open files a process allow here`);
const wanted: readonly Case[] = cases(names(values.cases), connections, Number(values.seconds), Number(values.rate));
const figures: Figure[] = [];
let port = Number(values.port);
const upstreams = await startUpstreams(folder, port);
port += 10;
try {
  // Round by round all proxies take turns, so that what else the machine does falls on all of them.
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    for (const each of wanted) {
      for (const proxy of proxies) {
        port += 2;
        try {
          const running = await startIn(folder, proxy, port, each.behind(upstreams));
          try {
            const found = await measureCase(each, running, upstreams);
            if (found === undefined) continue;
            figures.push({ proxy: proxy.name, case: each.name, round, values: found });
            console.error(`${proxy.name}, ${each.name} (round ${round}): ${JSON.stringify(found)}`);
          } finally {
            await end(running.process);
          }
        } catch (error) {
          const note = `${proxy.name}, ${each.name} (round ${round}) failed: ${String(error).slice(0, 200)}`;
          notes.push(note);
          console.error(note);
        }
      }
    }
    if (!names(values.engines).some((engine) => engine !== 'haproxy')) continue;
    const both = [upstreams.a, upstreams.b] as const;
    const services = Number(values.services);
    if (names(values.cases).includes('services')) {
      await measured(`${services} services`, 'sluice, workers as by default', round, () =>
        largeTable(folder, port, both, { services, times: 10 }),
      );
    }
    if (!names(values.cases).includes('restart')) continue;
    for (const count of [20, services]) {
      for (const [from, program] of programs()) {
        await measured(`restart with ${count} services`, `sluice, ${from}`, round, () =>
          restarts(folder, port, both, { services: count, times: Number(values.restarts), program }),
        );
      }
    }
  }
} finally {
  for (const upstream of upstreams.processes) await end(upstream);
  await rm(folder, { recursive: true, force: true });
}

async function measured(name: string, proxy: string, round: number, measure: () => Promise<Values>): Promise<void> {
  port += 2;
  try {
    const found = await measure();
    figures.push({ proxy, case: name, round, values: found });
    console.error(`${proxy}, ${name} (round ${round}): ${JSON.stringify(found)}`);
  } catch (error) {
    notes.push(`${proxy}, ${name} (round ${round}) failed: ${String(error).slice(0, 200)}`);
  }
}
const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, ${platform()}, Node ${process.version}; upstream: ${upstreams.program}`;
console.log(values.json ? JSON.stringify({ machine, notes, figures }, null, 2) : report(machine, notes, figures));
process.exit(0);
