// npm run bench:flags -- [--situations quiet,busy,killed] [--clients 1,100,1000,5000] [--rounds 5] [--json]
// How long a kill switch takes until every connected client serves the new value: a real stack and control plane, the provider of OpenFeature
// for web pages from npm as clients (beyond 100 mostly plain ones that do the same), the time from before the request or the command until a
// client has it. Prints the table of docs/flags.md in about two minutes.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuMsOf } from '../gateway/processes.ts';
import { median } from '../infrastructure/figures.ts';

const { values } = parseArgs({
  options: {
    clients: { type: 'string' },
    rounds: { type: 'string' },
    situations: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

interface Case {
  readonly situation: string;
  readonly clients: number;
  readonly rounds: number;
}
const table: readonly Case[] = [
  { situation: 'quiet', clients: 1, rounds: 10 },
  { situation: 'quiet', clients: 100, rounds: 10 },
  { situation: 'quiet', clients: 1_000, rounds: 5 },
  { situation: 'quiet', clients: 5_000, rounds: 3 },
  { situation: 'busy', clients: 100, rounds: 5 },
  { situation: 'busy', clients: 1_000, rounds: 5 },
  { situation: 'killed', clients: 100, rounds: 3 },
];

const server = `
import { createServer } from 'node:http';
const { PORT, HOST } = process.env;
createServer((request, response) => response.end('ok')).listen(Number(PORT), HOST);
process.on('SIGTERM', () => process.exit(0));
`;

/** Twenty flags beside the one that is killed; \`note\` makes each apply a new release. */
function stackOf(note: string): string {
  const others = Array.from(
    { length: 20 },
    (_, index) => `  - { name: other-${index}, variants: { a: one, b: two }, default: a, rules: [{ split: { a: 80, b: 20 }, by: user }] }`,
  );
  return `
environment: { name: production, provider: local }
service:
  name: web
  source: web
  command: [node, server.ts]
  version: 1.0.0
  replicas: 2
  health: { path: /healthz, interval: 50ms }
  drain: 100ms
  env: { NOTE: ${note} }
  expose: { host: web.localhost }
flag:
  - { name: cite, variants: { on: true, off: false }, default: off, rules: [{ when: { plan: pro }, serve: on }] }
${others.join('\n')}
`;
}

interface Measured extends Case {
  /** Milliseconds from the sending of the request until a client has the value. */
  readonly requestMs: Spread;
  /** The same from the start of the command, its own start included. */
  readonly commandMs: Spread;
  /** Processor time of the control plane for one change, all clients' fetches included; not beside other work. */
  readonly cpuMs: number;
  /** Clients that did not have it after half a minute. */
  readonly without: number;
}
interface Spread {
  readonly median: number;
  readonly p99: number;
  readonly worst: number;
}

const command = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));
const program = fileURLToPath(new URL('./clients.ts', import.meta.url));
const directory = await mkdtemp(join(tmpdir(), 'sluice-bench-flags-'));
const home = join(directory, '.sluice');
const environment = { PATH: process.env['PATH'], HOME: directory, SLUICE_HOME: home, NO_COLOR: '1' };

async function sluice(...parameters: string[]): Promise<string> {
  const child = spawn(process.execPath, [command, ...parameters], { cwd: directory, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([textOf(child, 'stdout'), textOf(child, 'stderr'), once(child, 'close')]);
  if (code !== 0) throw new Error(`sluice ${parameters.join(' ')} ended with ${String(code)}\n${stdout}${stderr}`);
  return stdout;
}

async function textOf(child: ChildProcess, name: 'stdout' | 'stderr'): Promise<string> {
  return ((await child[name]?.toArray()) ?? []).join('');
}

async function plane(): Promise<{ readonly url: string; readonly pid: number; readonly key: string }> {
  const record = JSON.parse(await readFile(join(home, 'control-plane.json'), 'utf8')) as { url: string; pid: number };
  return { ...record, key: (await readFile(join(home, 'admin.key'), 'utf8')).trim() };
}

/** By the API, as a dashboard would; the command does the same after it has started. */
async function byRequest(change: 'kill' | 'clear'): Promise<void> {
  const { url, key } = await plane();
  const path = `${url}/v1/environments/production/flags/cite/${change === 'kill' ? 'kill' : 'override'}`;
  const answer = await fetch(path, { method: change === 'kill' ? 'POST' : 'DELETE', headers: { authorization: `Bearer ${key}` } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

async function byCommand(change: 'kill' | 'clear'): Promise<void> {
  await (change === 'kill' ? sluice('flag', 'kill', 'cite') : sluice('flag', 'set', 'cite', '--clear'));
}

/** A thousand providers in one process would measure that process; how one comes back to a control plane that was killed, only it can show. */
function kindOf(situation: string, count: number): 'provider' | 'plain' {
  return count > 100 && situation !== 'killed' ? 'plain' : 'provider';
}

/** Clients in a process of their own, and how one asks them. */
async function withClients<Result>(
  count: number,
  kind: 'provider' | 'plain',
  key: string,
  use: (watch: (wanted: boolean, change: () => Promise<void>) => Promise<readonly [number[], number]>) => Promise<Result>,
): Promise<Result> {
  const { url } = await plane();
  const child = spawn(process.execPath, ['--experimental-eventsource', '--no-warnings', program, url, key, String(count), kind], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value } = (await lines.next()) as { value?: string };
    if (value === undefined) throw new Error('the clients have ended');
    return value;
  };
  try {
    await next();
    return await use(async (wanted, change) => {
      child.stdin.write(`${wanted}\n`);
      await next();
      const before = Date.now();
      const [answer] = await Promise.all([next(), change()]);
      const { times, without } = JSON.parse(answer) as { times: number[]; without: number };
      return [times.map((at) => at - before), without];
    });
  } finally {
    child.kill('SIGKILL');
  }
}

/** Applies that each roll out a release, plans, and programs that ask for a flag all the time, until the signal is aborted. */
async function keepBusy(signal: AbortSignal): Promise<void> {
  const { url, key } = await plane();
  const applying = async (): Promise<void> => {
    for (let count = 0; !signal.aborted; count += 1) {
      await writeFile(join(directory, 'stack.yaml'), stackOf(`busy-${count}`));
      await sluice('apply', '--yes');
    }
  };
  const asking = async (): Promise<void> => {
    for (let count = 0; !signal.aborted; count += 1) {
      const body = JSON.stringify({ context: { targetingKey: `asker-${count}` } });
      const headers = { 'x-api-key': key, 'content-type': 'application/json' };
      await (await fetch(`${url}/ofrep/v1/evaluate/flags/other-${count % 20}`, { method: 'POST', headers, body })).arrayBuffer();
    }
  };
  await Promise.all([applying(), asking(), asking()]);
}

async function measure(situation: string, clients: number, rounds: number, key: string): Promise<Measured> {
  const calm = new AbortController();
  const busy = situation === 'busy' ? keepBusy(calm.signal) : Promise.resolve();
  try {
    return await withClients(clients, kindOf(situation, clients), key, async (watch) => {
      const [byApi, byCli]: [number[], number[]] = [[], []];
      const cpu: number[] = [];
      let without = 0;
      const round = async (into: number[], change: (what: 'kill' | 'clear') => Promise<void>): Promise<void> => {
        for (const [what, wanted] of [
          ['kill', false],
          ['clear', true],
        ] as const) {
          if (situation === 'killed') process.kill((await plane()).pid, 'SIGKILL');
          const { pid } = await plane();
          const spent = cpuMsOf(pid);
          const [times, missed] = await watch(wanted, () => change(what));
          if (situation === 'quiet') cpu.push(cpuMsOf(pid) - spent);
          into.push(...times);
          without += missed;
        }
      };
      for (let count = 0; count < rounds; count += 1) {
        // With the control plane killed there is nobody to ask but by a command, which starts one.
        if (situation !== 'killed') await round(byApi, byRequest);
        await round(byCli, byCommand);
      }
      return { situation, clients, rounds, requestMs: spread(byApi), commandMs: spread(byCli), cpuMs: median(cpu), without };
    });
  } finally {
    calm.abort();
    await busy;
  }
}

function spread(times: readonly number[]): Spread {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { median: median(times), p99: at(0.99), worst: at(1) };
}

async function end(): Promise<void> {
  await sluice('down');
  await rm(directory, { recursive: true, force: true });
}

const head = [
  '| who hears of it | by request: median / 99 of 100 / worst | by the command | processor time of the control plane |',
  '|---|---|---|---|',
];
const found: Measured[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end().finally(() => process.exit(130)));
await mkdir(join(directory, 'web'));
await writeFile(join(directory, 'web', 'server.ts'), server);
await writeFile(join(directory, 'stack.yaml'), stackOf('first'));
try {
  await sluice('apply', '--yes');
  const { key } = JSON.parse(await sluice('key', 'create', 'web', '--role', 'evaluator', '-e', 'production', '--json')) as { key: string };
  for (const { situation, clients, rounds } of chosen()) {
    const measured = await measure(situation, clients, rounds, key);
    found.push(measured);
    console.error(row(measured));
  }
} finally {
  await end();
}
console.log(`${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}\n`);
console.log(values.json ? JSON.stringify(found, null, 2) : [...head, ...found.map(row)].join('\n'));

/** The table, or all of what was asked for. */
function chosen(): readonly Case[] {
  if (values.clients === undefined && values.situations === undefined) return withRounds(table);
  const counts = (values.clients ?? '1,100,1000,5000').split(',').map(Number);
  const situations = (values.situations ?? 'quiet').split(',');
  return withRounds(situations.flatMap((situation) => counts.map((clients) => ({ situation, clients, rounds: 5 }))));
}

function withRounds(cases: readonly Case[]): readonly Case[] {
  const { rounds } = values;
  return rounds === undefined ? cases : cases.map(({ situation, clients }) => ({ situation, clients, rounds: Number(rounds) }));
}

function words({ median: middle, p99, worst }: Spread): string {
  return Number.isNaN(worst) ? '-' : `${Math.round(middle)} / ${Math.round(p99)} / ${Math.round(worst)} ms`;
}

function whom({ situation, clients }: Case): string {
  const count = clients.toLocaleString('en');
  const them = kindOf(situation, clients) === 'plain' ? `${count} plain clients` : `${count} ${clients === 1 ? 'provider' : 'providers'}`;
  const meanwhile = {
    busy: ', while releases are applied and other programs ask',
    killed: ', the control plane ended by kill -9 just before',
  }[situation];
  return `${them}${meanwhile ?? ''}`;
}

function row(measured: Measured): string {
  const { clients, requestMs, commandMs, cpuMs, without } = measured;
  const missed = without === 0 ? '' : `; ${without} WITHOUT the value after 30 s`;
  const spent = Number.isNaN(cpuMs) ? '-' : `${Math.round(cpuMs)} ms${clients === 1 ? '' : `, ${(cpuMs / clients).toFixed(2)} a client`}`;
  return `| ${whom(measured)}${missed} | ${words(requestMs)} | ${words(commandMs)} | ${spent} |`;
}
