import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../../effects/clock.ts';
import { identify, isAlive, type ProcessIdentity, signalGroup } from '../../../effects/processes.ts';

/**
 * The server that runs on `folder`, found by the pid file it keeps itself: so it is found after any crash of ours, also one between its
 * start and our note of it. A pid that now belongs to another program does not count: the folder is part of the server's command line.
 */
export async function runningServer(pidFile: string, folder: string): Promise<ProcessIdentity | undefined> {
  const text = await readFile(pidFile, 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  const identity = identify(pid);
  return identity && commandLine(pid).includes(folder) ? identity : undefined;
}

/** Sends the signals one after another, each with its time, until the process is gone. The last should be SIGKILL. */
export async function stopServer(
  identity: ProcessIdentity,
  steps: readonly (readonly [signal: NodeJS.Signals, waitMs: number])[],
  clock: Clock,
): Promise<boolean> {
  for (const [signal, waitMs] of steps) {
    signalGroup(identity, signal);
    const deadline = clock.monotonic() + waitMs;
    while (isAlive(identity) && clock.monotonic() < deadline) await clock.sleep(15);
    if (!isAlive(identity)) return true;
  }
  return false;
}

function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
