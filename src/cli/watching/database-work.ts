import type { Client } from '../../api/client.ts';
import type { DatabaseWork } from '../../api/schemas/database.ts';
import { catalogue } from '../../errors/catalogue.ts';
import { SluiceError, sluiceError } from '../../errors/sluice-error.ts';
import { withInterrupts } from '../terminal/interrupts.ts';
import { note } from '../terminal/note.ts';
import type { Terminal } from '../terminal/terminal.ts';

const ends: ReadonlySet<string> = new Set(['database.backed_up', 'database.backup_failed', 'database.restored', 'database.restore_failed']);

/**
 * Shows how a backup or restore goes, and gives how it ended; `after` is the newest event before it was begun. Throws its error when it
 * failed, and `interrupted` at Ctrl-C: it then goes on by itself.
 */
export async function followWork(client: Client, work: DatabaseWork, after: number, terminal: Terminal): Promise<DatabaseWork> {
  const [environment = '', , name = ''] = work.address.split('/');
  await withInterrupts(async ({ first }) => {
    for await (const event of client.followEvents({ address: work.address, after, signal: first })) {
      if (workOf(event.data) !== work.id) continue;
      if (ends.has(event.type)) return;
      note(terminal, event.message);
    }
    throw sluiceError('interrupted', { what: `the ${work.kind} goes on; \`sluice events -f\` shows it.` });
  });
  const ended = await client.getDatabaseWork(environment, name, work.id);
  if (ended.error === undefined) return ended;
  const { code, message, help } = ended.error;
  throw new SluiceError(Object.hasOwn(catalogue, code) ? code : 'internal_error', { message, help }, {});
}

function workOf(data: unknown): unknown {
  return typeof data === 'object' && data !== null && 'work' in data ? data.work : undefined;
}
