import type { HaproxyServer, PlaneState } from '../state/plane-state.ts';
import { serverSpec } from '../config/render-config.ts';
import type { RuntimeSession } from './runtime-session.ts';

/** What one HAProxy process has at this moment. Mutable: follows every command that succeeded. */
export interface Applied {
  /** Slots the process was started with. */
  readonly slots: ReadonlySet<string>;
  /** By `slot/name`. */
  readonly servers: Map<string, HaproxyServer>;
  /** By listener. */
  readonly routes: Map<string, ReadonlyMap<string, string>>;
}

/**
 * Brings a running process to a state, so that no request is lost: what the new routes need is raised first, then all routes of a listener switch in
 * one commit, then what they no longer use is lowered. Servers that are no longer wanted stay in maintenance until `reap` finds them idle.
 */
export async function applyState(
  session: RuntimeSession,
  mapOf: (listener: string) => string,
  applied: Applied,
  state: PlaneState,
): Promise<void> {
  const wanted = new Map<string, HaproxyServer>();
  for (const slot of state.slots) {
    if (applied.slots.has(slot.name)) for (const server of slot.servers) wanted.set(`${slot.name}/${server.name}`, server);
  }
  for (const [path, server] of wanted) await raise(session, applied, path, server);
  for (const [listener, entries] of state.routes) {
    const before = applied.routes.get(listener);
    // One that was opened since is not this process's.
    if (before === undefined || sameEntries(before, entries)) continue;
    await switchEntries(session, mapOf(listener), entries);
    applied.routes.set(listener, entries);
  }
  for (const [path, server] of applied.servers) {
    if (server.state === 'ready' && wanted.get(path)?.state !== 'ready') await lower(session, applied, path, server);
  }
}

async function raise(session: RuntimeSession, applied: Applied, path: string, server: HaproxyServer): Promise<void> {
  const known = applied.servers.get(path);
  if (known === undefined) {
    expectAnswer(await session.run(`add server ${path} ${serverSpec(server)}`), /New server registered/);
    applied.servers.set(path, { ...server, state: 'maint' });
  }
  if (server.state === 'ready' && applied.servers.get(path)?.state !== 'ready') {
    expectAnswer(await session.run(`set server ${path} state ready`), /^\s*$/);
  }
  applied.servers.set(path, { ...server, state: server.state === 'ready' ? 'ready' : (applied.servers.get(path)?.state ?? 'maint') });
}

async function lower(session: RuntimeSession, applied: Applied, path: string, server: HaproxyServer): Promise<void> {
  expectAnswer(await session.run(`set server ${path} state maint`), /^\s*$/);
  applied.servers.set(path, { ...server, state: 'maint' });
}

/** Bytes of one command; HAProxy takes no more than its buffer. */
const commandBytes = 8_000;

async function switchEntries(session: RuntimeSession, map: string, entries: ReadonlyMap<string, string>): Promise<void> {
  const prepared = await session.run(`prepare map ${map}`);
  const version = /New version created: (\d+)/.exec(prepared)?.[1];
  if (version === undefined) throw new Error(`HAProxy made no version of its map: ${prepared.trim()}`);
  let lines = '';
  const flush = async (): Promise<void> => {
    if (lines === '') return;
    // In payload mode every line is answered with a prompt of its own.
    expectAnswer(await session.run(`add map @${version} ${map} <<\n${lines}`), /^[+\s]*$/);
    lines = '';
  };
  for (const [key, value] of entries) {
    lines += `${key} ${value}\n`;
    if (lines.length > commandBytes) await flush();
  }
  await flush();
  expectAnswer(await session.run(`commit map @${version} ${map}`), /^\s*$/);
}

function sameEntries(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}

/** Paths of the servers that the state no longer has. */
export function leftovers(applied: Applied, state: PlaneState): readonly string[] {
  const wanted = new Set(state.slots.flatMap((slot) => slot.servers.map((server) => `${slot.name}/${server.name}`)));
  return [...applied.servers.keys()].filter((path) => !wanted.has(path));
}

/** Deletes those of the leftovers among `servers` that are idle; their idle connections went when they were put into maintenance. */
export async function reap(session: RuntimeSession, applied: Applied, state: PlaneState, servers: ReadonlySet<string>): Promise<void> {
  for (const path of leftovers(applied, state)) {
    if (!servers.has(path)) continue;
    const answer = await session.run(`del server ${path}`);
    if (/Server deleted|No such server/.test(answer)) applied.servers.delete(path);
  }
}

function expectAnswer(answer: string, expected: RegExp): void {
  if (!expected.test(answer)) throw new Error(`HAProxy refused a command: ${answer.trim()}`);
}
