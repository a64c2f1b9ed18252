import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockHome } from '../control-plane/home-lock.ts';
import { openHome } from '../control-plane/home.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { runCli } from './run.ts';
import { capturedTerminal } from './testdata/captured-terminal.ts';
import { controlPlaneFixture } from './testdata/control-plane-fixture.ts';
import { temporaryFolder } from './testdata/temporary-folder.ts';

interface Stopped {
  readonly directory: string;
  readonly home: string;
  readonly sluice: (...line: readonly string[]) => Promise<{ code: number; stdout: string; stderr: string }>;
}

/** A home whose control plane does not run, with one document in its state. */
async function stoppedHome(environment: Record<string, string> = {}): Promise<Stopped> {
  const directory = await temporaryFolder();
  const home = join(directory, '.sluice');
  await write(home, 'old');
  return {
    directory,
    home,
    sluice: async (...line) => {
      const terminal = capturedTerminal(directory, { environment });
      const code = await runCli(line, terminal);
      return { code, stdout: terminal.stdout(), stderr: terminal.stderr() };
    },
  };
}

async function write(home: string, value: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const store = await openSqliteStore({ path: join(home, 'state.db') });
  await store.transact([{ operation: 'put', collection: 'things', key: 'a', value }]);
  await store.close();
}

async function read(home: string): Promise<unknown> {
  const store = await openSqliteStore({ path: join(home, 'state.db') });
  const found = (await store.get('things', 'a'))?.value;
  await store.close();
  return found;
}

describe('sluice state', () => {
  it('backs up a home that nobody serves and restores it, keeping what it replaces', async () => {
    const { sluice, home, directory } = await stoppedHome();
    const file = join(directory, 'monday.db');
    const made = await sluice('state', 'backup', 'monday.db', '--json');
    expect([made.code, JSON.parse(made.stdout)]).toMatchObject([0, { file, documents: 1, entries: 0 }]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await write(home, 'new');
    expect(await sluice('state', 'restore', file)).toMatchObject({ code: 64 });
    expect(await read(home)).toBe('new');
    const restored = await sluice('state', 'restore', file, '--yes');
    expect(restored).toMatchObject({ code: 0, stdout: expect.stringContaining('Restored 1 documents') });
    expect(restored.stderr).toContain('replaced-');
    expect(await read(home)).toBe('old');
  });

  it('overwrites no file, and refuses one that is no backup', async () => {
    const { sluice, home, directory } = await stoppedHome();
    await writeFile(join(directory, 'mine.txt'), 'mine');
    expect(await sluice('state', 'backup', 'mine.txt')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is a file already'),
    });
    expect(await sluice('state', 'restore', 'mine.txt', '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('cannot be restored'),
    });
    expect(await sluice('state', 'backup', 'no/such/folder/x.db')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no/such/folder'),
    });
    expect(await read(home)).toBe('old');
    expect((await readdir(directory)).toSorted()).toEqual(['.sluice', 'mine.txt']);
  });

  it('restores nothing while a control plane serves the home, and asks it for the backup', async () => {
    const fixture = await controlPlaneFixture();
    const { calls, directory } = fixture;
    expect(await fixture.sluice('state', 'backup')).toMatchObject({ code: 0, stdout: '/home/backups/state-2.db\n' });
    expect(calls).toEqual(['backup']);
    const lock = await lockHome(await openHome(join(directory, '.sluice')));
    expect(await fixture.sluice('state', 'restore', 'any.db', '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('already serves'),
    });
    lock.release();
  });

  it('moves a state only when --store says so, and shows no password', async () => {
    const SLUICE_STORE = 'postgres://sluice:canary-3Kd@127.0.0.1:1/state';
    const { sluice, directory } = await stoppedHome({ SLUICE_STORE });
    await sluice('state', 'backup', 'monday.db');
    const refused = await sluice('state', 'restore', 'monday.db', '--yes');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('keeps its state in') });
    const moved = await sluice('state', 'restore', 'monday.db', '--yes', '--store', SLUICE_STORE);
    expect(moved).toMatchObject({ code: 1, stderr: expect.stringContaining('does not answer') });
    const planned = await sluice('status');
    expect(planned.stderr).toContain('keeps its state in');
    for (const { stderr, stdout } of [refused, moved, planned]) expect(stderr + stdout).not.toContain('canary-3Kd');
    expect(await read(join(directory, '.sluice'))).toBe('old');
  });
});
