import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identify, type ProcessIdentity } from '../effects/processes.ts';
import { openHome, readRecord, writeRecord } from './home.ts';
import { lockHome } from './home-lock.ts';

describe('a Sluice home', () => {
  let folder: string;
  let holder: ChildProcess | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-home-'));
  });
  afterEach(async () => {
    holder?.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  it('is made for its owner alone, and made so again when it was not', async () => {
    const home = join(folder, 'deep', 'home');
    await openHome(home);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
    for (const mode of [0o755, 0o750, 0o711, 0o770]) {
      await chmod(home, mode);
      await openHome(home);
      expect((await stat(home)).mode & 0o777).toBe(0o700);
    }
    await chmod(home, 0o710);
    await openHome(home);
    expect((await stat(home)).mode & 0o777).toBe(0o710);
  });

  it('is refused when it is no folder', async () => {
    const home = join(folder, 'file');
    await writeFile(home, '');
    await expect(openHome(home)).rejects.toMatchObject({ code: 'home_exposed' });
  });

  it('has no control plane on record when the record is none', async () => {
    const { home, record } = await openHome(join(folder, 'home'));
    const whole = { pid: 4711, startTime: 'x', url: 'http://127.0.0.1:1', root: folder, startedAt: 'now' };
    await writeRecord(home, whole);
    expect(await readRecord(home)).toEqual(whole);
    for (const broken of [{ pid: -1 }, { pid: '1' }, { url: 'file:///x' }, { url: 1 }, { root: undefined }, { stoppedAt: 1 }]) {
      await writeFile(record, JSON.stringify({ ...whole, ...broken }));
      expect([broken, await readRecord(home)]).toEqual([broken, undefined]);
    }
    await writeFile(record, '{');
    expect(await readRecord(home)).toBeUndefined();
  });

  it('has one control plane at a time', async () => {
    const paths = await openHome(join(folder, 'home'));
    await writeRecord(paths.home, { pid: 4711, startTime: 'x', root: folder, startedAt: 'now' });
    const lock = await lockHome(paths);
    await expect(lockHome(paths, 0)).rejects.toMatchObject({ code: 'home_in_use', message: expect.stringContaining('4711') });
    lock.release();
    (await lockHome(paths)).release();
  });

  it('names who has just locked it and is not on record yet', async () => {
    const paths = await openHome(join(folder, 'home'));
    const lock = await lockHome(paths);
    const refused = lockHome(paths, 60_000).catch((thrown: Error) => thrown.message);
    await writeRecord(paths.home, { pid: 2 ** 30, startTime: 'of one that crashed', root: folder, startedAt: 'before' });
    const { pid, startTime } = identify(process.pid) as ProcessIdentity;
    await writeRecord(paths.home, { pid, startTime, root: folder, startedAt: 'now' });
    expect(await refused).toContain(`(process ${pid})`);
    lock.release();
  });

  it('is free the moment its control plane has been killed', async () => {
    const paths = await openHome(join(folder, 'home'));
    holder = await lockInOtherProcess(paths.home);
    await expect(lockHome(paths, 0)).rejects.toMatchObject({ code: 'home_in_use' });
    const ended = once(holder, 'exit');
    holder.kill('SIGKILL');
    await ended;
    (await lockHome(paths)).release();
    expect((await stat(paths.lock)).mode & 0o777).toBe(0o600);
  });

  it('has no record when the file is missing or damaged', async () => {
    const home = join(folder, 'home');
    expect(await readRecord(home)).toBeUndefined();
    await mkdir(home);
    for (const text of ['', '{', '{"pid":-1}', '{"pid":1,"startTime":"x","root":"/","startedAt":"","url":"file:///etc"}']) {
      await writeFile(join(home, 'control-plane.json'), text);
      expect(await readRecord(home)).toBeUndefined();
    }
  });
});

/** Another process that holds the lock until it is killed. */
async function lockInOtherProcess(home: string): Promise<ChildProcess> {
  const module = new URL('./home-lock.ts', import.meta.url).href;
  const paths = JSON.stringify({ home, lock: join(home, 'control-plane.lock') });
  const program = `import { lockHome } from '${module}'; await lockHome(${paths}); console.log('locked'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}
