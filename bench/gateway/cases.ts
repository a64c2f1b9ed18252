import { fileURLToPath } from 'node:url';
import { type Flip, flips } from './flip.ts';
import { capacity } from './load.ts';
import { cores, outputOf, startPinned } from './processes.ts';
import type { RunningProxy } from './proxies.ts';
import type { Upstreams } from './upstreams.ts';

/** What one measurement found, by the name of the figure. */
export type Values = Readonly<Record<string, number>>;

export interface Case {
  readonly name: string;
  /** Port of the upstream it begins with. */
  readonly behind: (upstreams: Upstreams) => number;
  /** Undefined for a proxy that has no equivalent. */
  readonly run: (proxy: RunningProxy, upstreams: Upstreams) => Promise<Values | undefined>;
}

/** The cases of these names: `small` (200 bytes) at every number of connections, `large` (16 KB), `close` (no keep-alive), `steady` and `stream` (open loop), `flip`. */
export function cases(names: readonly string[], connections: readonly number[], seconds: number, rate: number): readonly Case[] {
  const known: Readonly<Record<string, () => readonly Case[]>> = {
    small: () => connections.map((count) => loaded(`200 B, ${count} connections`, '/small', count, seconds, true)),
    large: () => [loaded('16 KB, 64 connections', '/large', 64, seconds, true)],
    close: () => [loaded('200 B, 64 connections, no keep-alive', '/small', 64, seconds, false)],
    steady: () => [openLoop(`200 B at ${rate} a second, open loop`, '/small', rate, seconds + 1, false)],
    stream: () => [openLoop('stream, 50 a second, open loop', '/stream', 50, seconds + 1, true)],
    flip: () => [flipped],
  };
  return names.flatMap((name) => known[name]?.() ?? []);
}

export function measureCase(each: Case, proxy: RunningProxy, upstreams: Upstreams): Promise<Values | undefined> {
  return each.run(proxy, upstreams);
}

const flipTimes = 60;

/** A proxy is warm after so many requests, or so many seconds. */
const [warmAfter, warmForSeconds] = [50_000, 8];

function loaded(name: string, target: string, connections: number, seconds: number, keepAlive: boolean): Case {
  return {
    name,
    behind: ({ a }) => a,
    run: async (proxy) => {
      const pid = proxy.process.pid as number;
      const url = `http://127.0.0.1:${proxy.port}${target}`;
      // Node compiles what it runs often, Go grows its heap: nobody is measured cold, also not on a machine that is slow or busy.
      for (let [answered, waited] = [0, 0]; answered < warmAfter && waited < warmForSeconds; waited += 2) {
        answered += 2 * (await capacity(pid, url, { connections: 32, seconds: 2, keepAlive })).requestsPerSecond;
      }
      return { ...(await capacity(pid, url, { connections, seconds: Math.ceil(seconds + connections / 500), keepAlive })) };
    },
  };
}

function openLoop(name: string, target: string, rate: number, seconds: number, isStream: boolean): Case {
  const script = fileURLToPath(new URL('open-loop.ts', import.meta.url));
  return {
    name,
    behind: ({ a, stream }) => (isStream ? stream : a),
    run: async (proxy) => {
      const client = startPinned(cores.load, process.execPath, [script, String(proxy.port), target, String(rate), String(seconds)]);
      const { p50Ms, p99Ms, firstByteMs, failed } = JSON.parse(await outputOf(client)) as Record<string, number>;
      const found = isStream ? { firstByteMs, p50Ms, p99Ms, failed } : { p50Ms, p99Ms, failed };
      return found as Values;
    },
  };
}

/**
 * From the call that puts the table: `lastRequest` to the last request that the old release was sent, of all clients, which is the switch; `lastAnswer`
 * to its last answer, as a client sees it. `mixedMs`: from the first answer of the new release to the last of the old one.
 */
const flipped: Case = {
  name: 'flip at full load',
  behind: ({ watched }) => watched[0],
  run: async (proxy, { watched }) => {
    if (proxy.flip === undefined) return undefined;
    const found = await flips(proxy, watched, flipTimes);
    const of = (share: number, pick: (flip: Flip) => number): number =>
      found.flips.map(pick).toSorted((one, other) => one - other)[Math.ceil(flipTimes * share) - 1] as number;
    const request = ({ lastOldRequestMs }: Flip): number => lastOldRequestMs;
    const answer = ({ lastOldMs }: Flip): number => lastOldMs;
    return {
      mixedMs: of(0.5, ({ firstNewMs, lastOldMs }) => Math.max(0, lastOldMs - firstNewMs)),
      firstNewMs: of(0.5, ({ firstNewMs }) => firstNewMs),
      lastRequestMs: of(0.5, request),
      p90LastRequestMs: of(0.9, request),
      p99LastRequestMs: of(0.99, request),
      lastAnswerMs: of(0.5, answer),
      p90LastAnswerMs: of(0.9, answer),
      p99LastAnswerMs: of(0.99, answer),
      acknowledgedMs: of(0.5, ({ acknowledgedMs }) => acknowledgedMs),
      requestsPerSecond: found.requestsPerSecond,
      failed: found.failed,
    };
  },
};
