import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { watchFolder } from './folder-watch.ts';
import { gatewayFiles } from './gateway-files.ts';
import { silentLog } from './log.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-watch-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Looks so many times, each after what happens then, and tells whether the folder was found to be gone. */
async function looksAt(path: string, happenings: readonly (() => Promise<unknown>)[]): Promise<boolean> {
  const end = new AbortController();
  let isGone = false;
  let look = 0;
  const sleep = async (): Promise<void> => {
    const happens = happenings[look];
    look += 1;
    if (happens === undefined) end.abort(new Error('looked'));
    else await happens();
  };
  await watchFolder({ folder: path, clock: { sleep }, log: silentLog, onGone: () => (isGone = true) }, end.signal);
  return isGone;
}

const nothing = (): Promise<void> => Promise.resolve();
const write = (): Promise<void> => writeFile(gatewayFiles(folder).settings, '{}');
const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });

test('a folder is gone when it was so several times in a row, also where something was written below it since', async () => {
  expect(await looksAt(folder, [write, nothing, remove, nothing])).toBe(false);
  await mkdir(folder);
  expect(await looksAt(folder, [write, remove, nothing, () => mkdir(join(folder, 'haproxy'), { recursive: true })])).toBe(true);
});

test('a folder that is back, or of which nobody can tell, is not gone', async () => {
  const back = async (): Promise<void> => {
    await mkdir(folder);
    await write();
  };
  expect(await looksAt(folder, [remove, nothing, back, nothing, nothing, nothing])).toBe(false);
  // A look at what is behind it fails with ELOOP, whoever looks.
  const unclear = join(folder, 'unclear');
  await symlink(unclear, unclear);
  expect(await looksAt(unclear, [nothing, nothing, nothing, nothing])).toBe(false);
});
