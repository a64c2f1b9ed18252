import { relative } from 'node:path';
import type { Client } from '../../api/client.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { note } from '../terminal/note.ts';
import type { Home } from './target.ts';

export interface Connection {
  readonly client: Client;
  readonly pid: number;
  /** Whether this command started it. */
  readonly started: boolean;
}

/**
 * The control plane of `home`; started in the background, with a word on standard error, when none runs. `reason` says why, for what is
 * changed over this connection.
 */
export async function connect(home: Home, terminal: Terminal, reason?: string): Promise<Connection> {
  const running = await connectIfRunning(home, reason);
  if (running !== undefined) return running;
  const { startControlPlane } = await import('../../control-plane/discovery.ts');
  note(terminal, `Starting the control plane in the background (${shown(home.home, terminal)}); \`sluice down\` stops it.`);
  return toConnection(await startControlPlane(home), true, reason);
}

export async function connectIfRunning({ home }: Pick<Home, 'home'>, reason?: string): Promise<Connection | undefined> {
  const { findControlPlane } = await import('../../control-plane/discovery.ts');
  const found = await findControlPlane(home);
  return found && toConnection(found, false, reason);
}

async function toConnection(
  found: { url: string; key: string; pid: number },
  started: boolean,
  reason: string | undefined,
): Promise<Connection> {
  const { createClient } = await import('../../api/client.ts');
  return { client: createClient({ ...found, ...(reason !== undefined && { reason }) }), pid: found.pid, started };
}

function shown(path: string, terminal: Terminal): string {
  const way = relative(terminal.directory, path);
  return way.startsWith('..') ? path : way;
}
