import { lstatSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { sluiceError } from '../../errors/sluice-error.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { scaffold } from '../scaffold/files.ts';
import { printJson } from '../terminal/json.ts';

export const command = defineCommand({
  description:
    'Writes a small stack that runs on this machine as it stands: one service in plain TypeScript without dependencies. Creates the folder when it is missing and never overwrites a file.',
  arguments: [{ name: 'dir', description: 'Where; default: the current folder', completes: 'folders' }],
  options: {},
  examples: [
    { command: 'sluice init', comment: 'here' },
    { command: 'sluice init my-stack', comment: 'in a new folder' },
  ],
  exitCodes: { 0: 'written', 1: 'a file is there already; nothing was written' },
  run: async ({ terminal, global, arguments: { dir } }) => {
    const folder = resolve(terminal.directory, dir ?? '.');
    const files = Object.keys(scaffold);
    // A .gitignore or a README is nearly always there in a clone; only what the stack itself needs is worth refusing for.
    const taken = files.filter((file) => isThere(join(folder, file)));
    const conflicts = taken.filter((file) => file !== '.gitignore' && file !== 'README.md');
    if (conflicts.length > 0) throw sluiceError('scaffold_conflict', { files: conflicts });
    const written = files.filter((file) => !taken.includes(file));
    for (const file of written) {
      const path = join(folder, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, scaffold[file] ?? '', { flag: 'wx' });
    }
    if (global.json) {
      printJson(terminal, { folder, written, kept: taken });
      return exitCodes.ok;
    }
    const { colors } = terminal.out;
    const way = relative(terminal.directory, folder);
    terminal.out.write(written.map((file) => `${colors.green('+')} ${join(way, file)}\n`).join(''));
    terminal.out.write(taken.map((file) => `${colors.dim(`= ${join(way, file)} (kept as it was)`)}\n`).join(''));
    const steps = [
      ...(way === '' ? [] : [`cd ${way}`]),
      'sluice up        # brings it up; Ctrl-C stops it',
      'sluice help      # all commands',
    ];
    terminal.out.write(`\nNext:\n${steps.map((step) => `  ${step}\n`).join('')}`);
    return exitCodes.ok;
  },
});

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
