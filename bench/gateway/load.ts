import { cores, cpuMsOf, memoryMbOf, outputOf, pause, startPinned } from './processes.ts';

export interface Capacity {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the proxy and all its processes, per request. */
  readonly cpuUs: number;
  readonly memoryMb: number;
  /** Requests that were not answered, or not with 2xx. */
  readonly failed: number;
}

/** As many requests as the proxy can take, by wrk. */
export async function capacity(
  proxyPid: number,
  url: string,
  { connections, seconds, keepAlive }: { readonly connections: number; readonly seconds: number; readonly keepAlive: boolean },
): Promise<Capacity> {
  const load = startPinned(cores.load, 'wrk', [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--latency',
    '--timeout',
    '20s',
    ...(keepAlive ? [] : ['-H', 'Connection: close']),
    url,
  ]);
  const ended = outputOf(load);
  // What goes wrong is told when it is waited for.
  ended.catch(() => {});
  // Connections are made first, so that what is measured is the same for all numbers of them.
  await pause(300 + connections);
  const [cpuBefore, began] = [cpuMsOf(proxyPid), performance.now()];
  await pause((seconds * 1_000 - connections) * 0.5);
  const [cpuMs, elapsedMs] = [cpuMsOf(proxyPid) - cpuBefore, performance.now() - began];
  const memoryMb = memoryMbOf(proxyPid);
  const output = await ended;
  const requestsPerSecond = numberIn(output, /Requests\/sec:\s+([\d.]+)/);
  const refused = numberIn(output, /Non-2xx or 3xx responses: (\d+)/);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output)?.slice(1) ?? [];
  if (refused > 0 || errors.length > 0)
    console.error(`${url}: ${refused} refused; connect, read, write, timeout: ${errors.join(', ') || 'none'}`);
  return {
    requestsPerSecond,
    p50Ms: milliseconds(output, '50%'),
    p99Ms: milliseconds(output, '99%'),
    cpuUs: (cpuMs / elapsedMs) * (1_000_000 / requestsPerSecond),
    memoryMb,
    failed: refused + errors.reduce((sum, each) => sum + Number(each), 0),
  };
}

function numberIn(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}

function milliseconds(text: string, share: string): number {
  const found = new RegExp(`^\\s+${share}\\s+([\\d.]+)(us|ms|s|m)$`, 'm').exec(text);
  const scale = { us: 0.001, ms: 1, s: 1_000, m: 60_000 }[found?.[2] ?? 'ms'] ?? 1;
  return found === null ? Number.NaN : Number(found[1]) * scale;
}
