import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeAsides, writeDurably } from './files.ts';

describe('what a killed writer leaves', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-files-'));
    mkdirSync(join(folder, 'below'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is removed, and nothing else is', async () => {
    await writeDurably(join(folder, 'record.json'), '{}');
    for (const name of ['record.json.0123456789ab.tmp', 'mine.tmp', 'below/a.json.ba9876543210.tmp'])
      writeFileSync(join(folder, name), 'half');
    await removeAsides(folder);
    expect(readdirSync(folder).toSorted()).toEqual(['below', 'mine.tmp', 'record.json']);
    expect(existsSync(join(folder, 'below', 'a.json.ba9876543210.tmp'))).toBe(true);
    await removeAsides(folder, { recursive: true });
    expect(readdirSync(join(folder, 'below'))).toEqual([]);
    expect(readFileSync(join(folder, 'record.json'), 'utf8')).toBe('{}');
    await removeAsides(join(folder, 'missing'));
  });
});
