import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './testdata/temporary-folder.ts';

const bin = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));

async function sluice(...line: readonly string[]) {
  return spawnSync(process.execPath, [bin, ...line], {
    encoding: 'utf8',
    cwd: await temporaryFolder(),
    env: { ...process.env, SLUICE_HOME: '' },
  });
}

describe('the program sluice', () => {
  it('starts quickly: the version takes no module but the launcher’s', async () => {
    await sluice('--version');
    const times: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const begun = performance.now();
      const { stdout, status } = await sluice('--version');
      times.push(performance.now() - begun);
      expect([stdout, status]).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/), 0]);
    }
    // 150 ms is the aim on a quiet machine; the limit leaves room for one on which other tests run.
    expect(Math.min(...times)).toBeLessThan(400);
  });

  it('keeps what it has compiled among the files of its user, where nobody else can put code', async () => {
    const [home, temporary] = [await temporaryFolder(), await temporaryFolder()];
    const { PATH } = process.env;
    const { status } = spawnSync(process.execPath, [bin, '--version'], { cwd: home, env: { PATH, HOME: home, TMPDIR: temporary } });
    expect([status, await readdir(join(home, '.cache', 'sluice', 'compiled')), await readdir(temporary)]).toEqual([
      0,
      [expect.any(String)],
      [],
    ]);
  });

  it('passes its exit codes on', async () => {
    expect((await sluice('help', 'exit-codes')).status).toBe(0);
    expect((await sluice('validate', 'nowhere')).status).toBe(1);
    expect((await sluice('nonsense')).status).toBe(64);
  });

  it('writes errors to standard error only, without colour in a pipe', async () => {
    const { stdout, stderr } = await sluice('nonsense');
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error\[usage\]: Unknown command 'nonsense'\.\n {2}help: /);
    expect(stderr).not.toContain('\u001b');
  });

  it('ends quietly when its reader goes away', async () => {
    const child = spawn(process.execPath, [bin, 'schema'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.stdout.destroy();
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(errors).toBe('');
  });
});
