import { readFile } from 'node:fs/promises';
import type { Clock } from '../../effects/clock.ts';
import { isAlive, type ProcessIdentity } from '../../effects/processes.ts';
import { bindSocket } from '../listening/bound-socket.ts';
import { haproxyRecord, type HaproxyRecord } from './haproxy-folder.ts';

/** The HAProxy that goes on serving since before this process was started, if there is one: its listening sockets are taken over. */
export interface Predecessor {
  is(pid: number): boolean;
  /**
   * When it listens at the address by a socket that nobody is left to hand over: has it listen no more. Connections are refused from then until
   * another one listens.
   */
  makeRoom(host: string, port: number): Promise<void>;
  /** To be called when another one accepts: it accepts no more and ends with its last connection. */
  retire(): void;
  /** Waits so long for it to end by itself, then ends it. */
  end(withinMs: number): Promise<void>;
}

/** HAProxy closes its sockets at once when it is told to. */
const roomMs = 3_000;

export async function createPredecessor(recordFile: string, clock: Clock): Promise<Predecessor> {
  const record = await readRecord(recordFile);
  let isRetired = false;
  const isThere = (): boolean => record !== undefined && isAlive(record);
  const has = (host: string, port: number): boolean =>
    isThere() && !isRetired && record?.binds.some((bind) => bind.host === host && bind.port === port) === true;
  const retire = (): void => {
    if (isRetired) return;
    isRetired = true;
    if (record) signal(record, 'SIGUSR1');
  };
  return {
    makeRoom: async (host, port) => {
      if (!has(host, port)) return;
      retire();
      await awaitRoom(host, port, clock);
    },
    is: (pid) => record?.pid === pid,
    retire,
    end: async (withinMs) => {
      const deadline = clock.monotonic() + withinMs;
      while (isThere() && clock.monotonic() < deadline) await clock.sleep(20);
      if (record) signal(record, 'SIGTERM');
    },
  };
}

/** Resolves once nobody listens at the address, or some seconds have passed. */
export async function awaitRoom(host: string, port: number, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + roomMs;
  while (!(await canBind(host, port)) && clock.monotonic() < deadline) await clock.sleep(5);
}

async function canBind(host: string, port: number): Promise<boolean> {
  try {
    (await bindSocket(host, port)).socket.close();
    return true;
  } catch {
    return false;
  }
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch {
    // It has just ended.
  }
}

async function readRecord(path: string): Promise<HaproxyRecord | undefined> {
  try {
    return haproxyRecord.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}
