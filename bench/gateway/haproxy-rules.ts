// npm run bench:haproxy-rules -- [--rounds 5] [--seconds 2] [--port 19300]
// What each part of the configuration that Sluice writes for HAProxy costs: processor time a request with all of it, without one part, and of a
// bare HAProxy. All take turns, round by round; a part costs what is saved by leaving it out.
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultLimits } from '../../src/gateway/http/limits.ts';
import { renderConfig } from '../../src/gateway/haproxy/config/render-config.ts';
import { logSampling } from '../../src/gateway/haproxy/log/sampling.ts';
import { luaScript } from '../../src/gateway/haproxy/config/lua-script.ts';
import { haproxyMemory } from '../../src/gateway/haproxy/process/haproxy-process.ts';
import type { PlaneState } from '../../src/gateway/haproxy/state/plane-state.ts';
import { median } from '../infrastructure/figures.ts';
import { capacity } from './load.ts';
import { cores, end, listens, startPinned } from './processes.ts';
import { bareHaproxy } from './proxies.ts';
import { startUpstreams } from './upstreams.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    port: { type: 'string', default: '19300' },
  },
});
const firstPort = Number(values.port);

interface Variant {
  readonly name: string;
  readonly config: (full: string) => string;
  readonly keepsMemory: boolean;
}

const without =
  (...lines: readonly RegExp[]) =>
  (full: string): string =>
    full
      .split('\n')
      .filter((line) => !lines.some((each) => each.test(line)))
      .join('\n');
const less = (name: string, config: Variant['config']): Variant => ({ name: `without ${name}`, config, keepsMemory: true });

const variants: readonly Variant[] = [
  { name: 'bare HAProxy', config: () => '', keepsMemory: false },
  { name: 'all', config: (full) => full, keepsMemory: true },
  { name: 'without memory kept', config: (full) => full, keepsMemory: false },
  less('the look at the header', (full) => full.replaceAll(/ \{ req\.hdrs -m reg ".*?(?<!\\)" \}/g, '')),
  less('the look at the target', (full) => full.replaceAll(/ \{ url -m reg ".*?(?<!\\)" \}/g, '')),
  less('the looks at version and method', (full) => full.replaceAll(/ \{ req\.ver 1\.1 \} \{ method [A-Z ]+ \}/g, '')),
  less('all looks and the look-up of the route', (full) => full.replaceAll(/use_backend .*/g, 'use_backend s0')),
  less('fields for the instance', without(/http-request add-header/)),
  less('rules for the answer', without(/http-response|http-after-response/)),
  less('what is told of requests', without(/ log |log-format|txn\.told|set-log-level|txn\.head|be_sess_rate/)),
  less('any field or rule for the answer', without(/http-request add-header|http-response|http-after-response/)),
];

const folder = await mkdtemp(join(tmpdir(), 'sluice-rules-'));
const running: { readonly variant: Variant; readonly process: ChildProcess; readonly port: number; readonly us: number[] }[] = [];
const upstreams = await startUpstreams(folder, firstPort);
try {
  await writeFile(join(folder, 'rules.lua'), luaScript);
  for (const [index, variant] of variants.entries()) {
    const port = firstPort + 10 + index;
    const file = join(folder, `${index}.cfg`);
    await writeFile(file, variant.config(configOf(index, port)) || bareHaproxy(folder, port, upstreams.a));
    await writeFile(join(folder, `${index}.map`), `127.0.0.1:${port}/ s0\n`);
    const environment = Object.entries(variant.keepsMemory ? haproxyMemory : {}).map(([name, value]) => `${name}=${value}`);
    const process = startPinned(cores.proxy, 'env', [...environment, 'haproxy', '-db', '-f', file]);
    running.push({ variant, process, port, us: [] });
    await listens(port);
  }
  const measured = async ({ process, port }: (typeof running)[number], seconds: number): Promise<number> => {
    const url = `http://127.0.0.1:${port}/small`;
    const { cpuUs, failed } = await capacity(process.pid as number, url, { connections: 64, seconds, keepAlive: true });
    if (failed > 0) throw new Error(`${failed} requests failed`);
    return cpuUs;
  };
  for (const each of running) await measured(each, 1);
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const each of running) each.us.push(await measured(each, Number(values.seconds)));
  }
  const [bare] = running as [(typeof running)[number]];
  console.log('| configuration | us a request | least | times bare, same round |\n| --- | --- | --- | --- |');
  for (const { variant, us } of running) {
    const ratios = us.map((each, round) => each / (bare.us[round] as number));
    const spread = `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
    console.log(`| ${variant.name} | ${median(us).toFixed(1)} | ${Math.min(...us).toFixed(1)} | ${spread} |`);
  }
} finally {
  for (const { process } of running) await end(process);
  for (const process of upstreams.processes) await end(process);
  await rm(folder, { recursive: true, force: true });
}

function configOf(index: number, port: number): string {
  const of = { environment: 'bench', service: 'app', release: 'r' };
  const server = { name: 'i0', instance: 'i0', of, host: '127.0.0.1', port: upstreams.a, state: 'ready' as const };
  const state: PlaneState = { names: new Set(['s0']), slots: [{ name: 's0', servers: [server] }], routes: new Map() };
  const files = {
    socket: join(folder, `${index}.sock`),
    map: () => join(folder, `${index}.map`),
    lua: join(folder, 'rules.lua'),
    errors: new Map(),
  };
  const bind = { host: '127.0.0.1', port, name: 'l0', relay: join(folder, 'nobody'), fd: 3 };
  const text = renderConfig(state, {
    binds: [bind],
    limits: defaultLimits,
    files,
    threads: 1,
    unprivileged: false,
    span: '0123456789abcdef',
    told: logSampling(0),
  });
  return text.replace('bind fd@3', `bind 127.0.0.1:${port} backlog 8192`);
}
