import type { Client } from '../../api/client.ts';
import type { DatabaseOperation } from '../../api/schemas/database.ts';
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
export async function followOperation(
  client: Client,
  operation: DatabaseOperation,
  after: number,
  terminal: Terminal,
): Promise<DatabaseOperation> {
  const [environment = '', , name = ''] = operation.address.split('/');
  await withInterrupts(async ({ first }) => {
    for await (const event of client.followEvents({ address: operation.address, after, signal: first })) {
      if (operationOf(event.data) !== operation.id) continue;
      if (ends.has(event.type)) return;
      note(terminal, event.message);
    }
    throw sluiceError('interrupted', { what: `the ${operation.kind} goes on; \`sluice events -f\` shows it.` });
  });
  const ended = await client.getDatabaseOperation(environment, name, operation.id);
  if (ended.error === undefined) return ended;
  const { code, message, help } = ended.error;
  throw new SluiceError(Object.hasOwn(catalogue, code) ? code : 'internal_error', { message, help }, {});
}

function operationOf(data: unknown): unknown {
  return typeof data === 'object' && data !== null && 'operation' in data ? data.operation : undefined;
}
