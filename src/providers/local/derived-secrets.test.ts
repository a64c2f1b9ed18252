import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../../effects/random.ts';
import { createDerivedSecrets } from './derived-secrets.ts';

describe('derived secrets', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'sluice-home-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  it('are the same for the same id and purpose, whoever asks, and differ otherwise', async () => {
    const [one, two] = [createDerivedSecrets(home, systemRandom), createDerivedSecrets(home, systemRandom)];
    const values = await Promise.all([
      one.derive('a', 'x', 40),
      two.derive('a', 'x', 40),
      one.derive('a', 'y', 40),
      one.derive('b', 'x', 40),
    ]);
    expect(values[1]).toBe(values[0]);
    expect(new Set(values).size).toBe(3);
  });

  it('use every letter about equally often', async () => {
    const text = await createDerivedSecrets(home, systemRandom).derive('a', 'x', 62_000);
    const counts = new Map<string, number>();
    for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    expect(counts.size).toBe(62);
    // 1000 expected of each, standard deviation 31: eight of them are never reached by chance.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(250);
  });

  it('come from one key that only its owner can read', async () => {
    await Promise.all([1, 2, 3].map(() => createDerivedSecrets(home, systemRandom).derive('a', 'x', 8)));
    expect(readdirSync(home)).toEqual(['local.key']);
    expect(statSync(join(home, 'local.key')).mode & 0o777).toBe(0o600);
  });

  it('are refused from a key that is damaged', async () => {
    writeFileSync(join(home, 'local.key'), 'short');
    await expect(createDerivedSecrets(home, systemRandom).derive('a', 'x', 8)).rejects.toMatchObject({ code: 'local_key_unusable' });
  });
});
