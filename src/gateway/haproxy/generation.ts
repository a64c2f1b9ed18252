import { writeFile } from 'node:fs/promises';
import type { Clock } from '../../effects/clock.ts';
import type { Limits } from '../http/limits.ts';
import { renderConfig } from './config/render-config.ts';
import type { HaproxyFolder } from './haproxy-folder.ts';
import type { Told } from './log/front-log.ts';
import { readLines } from './log/read-lines.ts';
import type { LogSampling } from './log/sampling.ts';
import { type Applied, applyState, leftovers, reap } from './process/apply-state.ts';
import { firstFd, type HaproxyProcess, startHaproxy } from './process/haproxy-process.ts';
import { type InstanceStats, parseServerStats, type ServerStats } from './process/server-stats.ts';
import type { Bind, HaproxyServer, PlaneState } from './state/plane-state.ts';

/** With the descriptor of its socket in this process, which HAProxy inherits. */
export type OpenBind = Bind & { readonly fd: number };

const stopLimitMs = 2_000;
/** A line takes some 5 us of this process. */
const linesPerSecond = 10_000;
/** Servers that are gone may still be told of. */
const mostFormer = 4_096;

/** One HAProxy process and what it serves by. */
export interface Generation {
  readonly name: string;
  readonly socket: string;
  /** What it was started with. */
  readonly initial: PlaneState;
  readonly binds: readonly OpenBind[];
  readonly process: HaproxyProcess;
  /** Every new request is served by the state when it resolves. */
  apply(state: PlaneState): Promise<void>;
  /** Whether it has servers that the state no longer has. */
  hasLeftovers(state: PlaneState): boolean;
  /** Deletes servers that are no longer wanted and have no work. */
  reap(state: PlaneState): Promise<void>;
  stats(): Promise<readonly InstanceStats[]>;
  /** Lines of its log that it could not get rid of, since it was started. */
  lostLines(): Promise<number>;
  slotsInUse(): ReadonlySet<string>;
  isBusy(): Promise<boolean>;
  /** Whether any client is connected. */
  isConnected(): Promise<boolean>;
  /** Ends it if no client is connected any more. For one that accepts nothing new. */
  endWhenIdle(): Promise<void>;
  /** Ends it now, whatever it does. */
  end(): Promise<void>;
}

export interface GenerationSpec {
  readonly binary: string;
  readonly folder: HaproxyFolder;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly threads?: number | undefined;
  readonly name: string;
  readonly binds: readonly OpenBind[];
  readonly state: PlaneState;
  /** See `ConfigOptions`. */
  readonly span: string;
  readonly told: LogSampling;
  /** A line of its log; `whoIs`: by `slot/server`. */
  readonly onTold: (line: string, whoIs: (path: string) => Told | undefined) => void;
}

/** Starts a process that serves by the state at once. Throws `gateway_start_failed`. */
export async function startGeneration(spec: GenerationSpec): Promise<Generation> {
  const { folder, state, name } = spec;
  const { config, ...files } = folder.of(name);
  const fds = spec.binds.map((bind) => bind.fd);
  const binds = spec.binds.map((bind, index) => ({ ...bind, fd: firstFd + index }));
  const text = renderConfig(state, {
    binds,
    limits: spec.limits,
    files,
    threads: spec.threads,
    unprivileged: process.getuid?.() === 0,
    span: spec.span,
    told: spec.told,
  });
  for (const [listener, entries] of state.routes) await writeFile(files.map(listener), mapText(entries), { mode: 0o600 });
  await writeFile(config, text, { mode: 0o600 });
  const started = await startHaproxy({ binary: spec.binary, config, socket: files.socket, log: folder.log, fds }, spec.clock);
  const applied: Applied = { slots: state.names, servers: serversOf(state), routes: new Map(state.routes) };
  const former = new Map<string, HaproxyServer>();
  const whoIs = (path: string): Told | undefined => {
    const server = applied.servers.get(path) ?? former.get(path);
    if (server !== undefined) return server;
    const slot = path.slice(0, path.indexOf('/') + 1);
    const [, any] = applied.servers.entries().find(([each]) => each.startsWith(slot)) ?? [];
    return any && { of: any.of, exposed: any.exposed };
  };
  readLines(started.told, { clock: spec.clock, linesPerSecond }, (line) => spec.onTold(line, whoIs));
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <Value>(act: () => Promise<Value>): Promise<Value> => {
    const done = last.then(act);
    last = done.catch(() => {});
    return done;
  };
  const rows = async (): Promise<readonly ServerStats[]> => parseServerStats(await started.session.run('show stat -1 4 -1'));
  const end = async (): Promise<void> => {
    started.signal('SIGTERM');
    const forced = new AbortController();
    const kill = async (): Promise<void> => {
      await spec.clock.sleep(stopLimitMs, forced.signal);
      started.signal('SIGKILL');
    };
    kill().catch(() => {});
    await started.exit;
    forced.abort(new Error('ended'));
    started.session.close();
  };
  const info = async (name: string): Promise<number> =>
    Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(await started.session.run('show info'))?.[1] ?? 0);
  // The session itself is one.
  const isConnected = async (): Promise<boolean> => (await info('CurrConns')) > 1;
  return {
    name,
    socket: files.socket,
    initial: state,
    binds: spec.binds,
    process: started,
    apply: (next) => inTurn(() => applyState(started.session, files.map, applied, next)),
    hasLeftovers: (next) => leftovers(applied, next).length > 0,
    reap: (next) =>
      inTurn(async () => {
        for (const path of leftovers(applied, next)) former.set(path, applied.servers.get(path) as HaproxyServer);
        for (const path of former.keys()) if (former.size > mostFormer) former.delete(path);
        await reap(started.session, applied, next);
      }),
    lostLines: () => info('DroppedLogs'),
    stats: async () =>
      (await rows()).flatMap((row) => {
        const server = applied.servers.get(row.path);
        return server === undefined ? [] : [{ ...row, instance: server.instance, of: server.of }];
      }),
    slotsInUse: () => new Set([...applied.servers.keys()].map((path) => path.slice(0, path.indexOf('/')))),
    // What is passed on is in flight too.
    isBusy: async () => (await rows()).some((row) => row.inFlight + row.queued > 0),
    endWhenIdle: async () => {
      if (!(await isConnected())) await end();
    },
    isConnected,
    end,
  };
}

function serversOf(state: PlaneState): Map<string, HaproxyServer> {
  return new Map(state.slots.flatMap((slot) => slot.servers.map((server) => [`${slot.name}/${server.name}`, server] as const)));
}

function mapText(entries: ReadonlyMap<string, string>): string {
  return [...entries].map(([key, value]) => `${key} ${value}\n`).join('');
}
