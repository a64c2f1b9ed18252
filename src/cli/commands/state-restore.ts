import { resolve } from 'node:path';
import { systemClock } from '../../effects/clock.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { stackOption, yes } from '../options.ts';
import { homeTarget } from '../target/target.ts';
import { confirm } from '../terminal/confirm.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';

export const command = defineCommand({
  description:
    'Verifies a backup and puts it in the place of the whole state, all or nothing. The control plane has to be stopped (`sluice down`). What it replaces is kept in `backups` in the home. The `state.key` that belonged to the backup has to be in the home, or secrets cannot be opened. With --store the state moves there. What was applied after the backup is not known afterwards: look at `sluice plan` first.',
  arguments: [{ name: 'file', description: 'A file that `sluice state backup` has made', required: true, completes: 'files' }],
  options: { stack: stackOption, yes },
  examples: [
    { command: 'sluice state restore .sluice/backups/state-2-20261122T010203004Z.db', comment: 'after a loss' },
    {
      command: 'sluice state restore state.db --store postgres://sluice@db.example/sluice',
      comment: 'move to PostgreSQL (password in PGPASSWORD)',
    },
  ],
  exitCodes: { 1: 'the file is no whole backup, or a control plane runs; nothing has been changed' },
  run: async ({ terminal, global, arguments: { file }, options }) => {
    const { home, store } = homeTarget(options, global, terminal);
    await confirm(terminal, `Replace the state of ${home} by ${file}?`, options.yes);
    const { restoreHome } = await import('../../control-plane/home-store.ts');
    const restored = await restoreHome({
      home,
      file: resolve(terminal.directory, file),
      // A variable that happens to be set moves nothing.
      wanted: global.store,
      given: store,
      clock: systemClock,
    });
    if (global.json) printJson(terminal, restored);
    else {
      terminal.out.write(`Restored ${restored.documents} documents and ${restored.entries} log entries into ${restored.store}.\n`);
      if (restored.replaced !== undefined) note(terminal, `What was there before is kept: ${restored.replaced}`);
      note(terminal, 'Look at `sluice plan` before anything else: it shows what the backup does not know of.');
    }
    return exitCodes.ok;
  },
});
