import { existsSync } from 'node:fs';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { systemClock } from '../../effects/clock.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { stackOption } from '../options.ts';
import { connectIfRunning } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';

export const command = defineCommand({
  description:
    'Copies the whole state into one file, verified, while everything goes on, or with no control plane running. Without FILE it goes into `backups` in the home. The file is the same for SQLite and PostgreSQL. The key that opens the secrets in it is not in it: keep `state.key` of the home with it, in another safe place. Data of databases is not in it either.',
  arguments: [{ name: 'file', description: 'File to write; it must not exist yet', completes: 'files' }],
  options: { stack: stackOption },
  examples: [
    { command: 'sluice state backup', comment: 'into the home' },
    { command: 'sluice state backup /mnt/backup/state-monday.db', comment: 'somewhere safer' },
  ],
  run: async ({ terminal, global, arguments: { file }, options }) => {
    const target = homeTarget(options, global, terminal);
    const wanted = file === undefined ? undefined : resolve(terminal.directory, file);
    if (wanted !== undefined && existsSync(wanted)) throw sluiceError('backup_exists', { path: wanted });
    const running = await connectIfRunning(target);
    const made = running ? await running.client.createBackup() : await offline(target.home);
    if (wanted !== undefined) await moveFile(made.file, wanted);
    const backup = { ...made, file: wanted ?? made.file };
    if (global.json) printJson(terminal, backup);
    else {
      terminal.out.write(`${backup.file}\n`);
      note(
        terminal,
        `${backup.documents} documents and ${backup.entries} log entries, verified. It needs state.key of ${target.home} to be of use.`,
      );
    }
    return exitCodes.ok;
  },
});

async function offline(home: string) {
  const { backUpHome } = await import('../../control-plane/home-store.ts');
  return backUpHome({ home, clock: systemClock });
}

/** Also onto another disk; the target is whole or not there. */
async function moveFile(from: string, to: string): Promise<void> {
  const aside = `${to}.${process.pid}.tmp`;
  try {
    await copyFile(from, aside);
    for (const path of [aside, dirname(to)]) {
      const handle = await open(path, 'r');
      await handle.sync();
      await handle.close();
      if (path === aside) await rename(aside, to);
    }
    await rm(from);
  } catch (thrown) {
    const reason = `${(thrown as Error).message}; the backup is ${from}`;
    throw sluiceError('backup_not_written', { path: to, reason }, { cause: thrown });
  } finally {
    await rm(aside, { force: true });
  }
}
