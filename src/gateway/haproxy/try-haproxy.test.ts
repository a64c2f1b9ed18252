import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../effects/clock.ts';
import { describeWith } from '../../testing/requires.ts';
import { createFailing } from './failing.ts';
import { tryHaproxy } from './try-haproxy.ts';

describeWith('haproxy', 'a HAProxy that was found', (binary) => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-try-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const played = async (script: string): Promise<string> => {
    const path = join(folder, 'played');
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  };

  test('can be used, and nothing is left of the trial', async () => {
    expect(await tryHaproxy(binary, join(folder, 'own'), systemClock)).toBeUndefined();
    expect((await readdir(join(folder, 'own'))).filter((name) => /\.(?:cfg|map|sock)$/.test(name))).toEqual([]);
  });

  test('cannot when it does not start, in its own words', async () => {
    const reason = await tryHaproxy(await played('echo "[ALERT] no such feature" >&2; exit 1'), join(folder, 'own'), systemClock);
    expect(reason).toContain('[ALERT] no such feature');
  });

  test('can behind a script that becomes it, and not behind one that starts it as another process', async () => {
    expect(await tryHaproxy(await played(`exec ${binary} "$@"`), join(folder, 'own'), systemClock)).toBeUndefined();
    const reason = await tryHaproxy(await played(`${binary} "$@"; exit`), join(folder, 'own'), systemClock);
    expect(reason).toBe('it is a wrapper that starts HAProxy as another process');
  });
});

test('HAProxy fails when it ends often in a short time, or cannot be started several times in a row', () => {
  let now = 0;
  const told: string[] = [];
  const failing = createFailing({ monotonic: () => now }, (reason) => told.push(reason));
  for (let count = 0; count < 9; count += 1) {
    failing.ended();
    now += 20_000;
  }
  for (let count = 0; count < 4; count += 1) {
    failing.notStarted(new Error('no'));
    failing.notStarted(new Error('no'));
    failing.started();
  }
  expect(told).toEqual([]);
  now += 60_000;
  for (let count = 0; count < 3; count += 1) failing.notStarted(new Error('no'));
  for (let count = 0; count < 5; count += 1) failing.ended();
  expect(told).toEqual([expect.stringContaining('no'), 'it ended 5 times within 60 seconds']);
});
