import { readFile } from 'node:fs/promises';
import type { Clock } from '../../effects/clock.ts';
import { isAlive, type ProcessIdentity } from '../../effects/processes.ts';
import { haproxyRecord, type HaproxyRecord } from './haproxy-folder.ts';

/** The HAProxy that goes on serving since before this process was started, if there is one: its listening sockets are taken over. */
export interface Predecessor {
  has(host: string, port: number): boolean;
  /** To be called when another one accepts: it accepts no more and ends with its last connection. */
  retire(): void;
  /** Waits so long for it to end by itself, then ends it. */
  end(withinMs: number): Promise<void>;
}

export async function createPredecessor(recordFile: string, clock: Clock): Promise<Predecessor> {
  const record = await readRecord(recordFile);
  let isRetired = false;
  const isThere = (): boolean => record !== undefined && isAlive(record);
  return {
    has: (host, port) => isThere() && !isRetired && record?.binds.some((bind) => bind.host === host && bind.port === port) === true,
    retire: () => {
      if (isRetired) return;
      isRetired = true;
      if (record) signal(record, 'SIGUSR1');
    },
    end: async (withinMs) => {
      const deadline = clock.monotonic() + withinMs;
      while (isThere() && clock.monotonic() < deadline) await clock.sleep(20);
      if (record) signal(record, 'SIGTERM');
    },
  };
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
