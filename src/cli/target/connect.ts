import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import type { Client } from '../../api/client.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { holdsStack } from '../../stack/source/files.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { note } from '../terminal/note.ts';
import type { Home, StackTarget } from './target.ts';

export interface Connection {
  readonly client: Client;
  readonly pid: number;
  /** Whether this command started it. */
  readonly started: boolean;
}

/**
 * The control plane of `home`; started in the background, with a word on standard error (`starting` instead of the usual one), when none
 * runs. `reason` says why, for what is changed over this connection. Throws `stack_not_found` rather than making a home for a stack that is not
 * there, so that a command in the wrong folder leaves nothing behind.
 */
export async function connect(
  home: Home & Partial<Pick<StackTarget, 'path'>>,
  terminal: Terminal,
  { reason, starting }: { readonly reason?: string | undefined; readonly starting?: string } = {},
): Promise<Connection> {
  if (home.store !== undefined) await demandStore(home.home, home.store);
  const running = await connectIfRunning(home, reason);
  if (running !== undefined) return running;
  if (home.path !== undefined && !existsSync(home.home) && !(await holdsStack(home.path))) {
    throw sluiceError('stack_not_found', { path: shown(home.path, terminal) || '.' });
  }
  const { startControlPlane } = await import('../../control-plane/discovery.ts');
  note(terminal, starting ?? `Starting the control plane in the background (${shown(home.home, terminal)}); \`sluice down\` stops it.`);
  return toConnection(await startControlPlane(home), true, reason);
}

export async function connectIfRunning({ home }: Pick<Home, 'home'>, reason?: string): Promise<Connection | undefined> {
  const { findControlPlane } = await import('../../control-plane/discovery.ts');
  const found = await findControlPlane(home);
  return found && toConnection(found, false, reason);
}

/** Throws `store_differs` when the home keeps its state elsewhere, whether or not its control plane runs. */
async function demandStore(home: string, store: string): Promise<void> {
  const [{ homePaths }, { chooseStore }] = await Promise.all([
    import('../../control-plane/home.ts'),
    import('../../control-plane/store-choice.ts'),
  ]);
  await chooseStore(homePaths(home), store);
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
