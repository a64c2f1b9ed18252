import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../effects/clock.ts';
import { settleRestore, writeJournal } from './journal.ts';
import { readTimelines } from './timelines.ts';

describe('a restore that was cut short', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-journal-'));
    for (const name of ['data', 'restoring']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'which'), name === 'data' ? 'old' : 'new');
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const which = () => readFileSync(join(folder, 'data', 'which'), 'utf8');
  const decided = { phase: 'decided', restore: 'work-1', at: Date.UTC(2026, 10, 22, 10), timeline: 2, ancestors: [] } as const;
  const aside = 'replaced-20261122T100000000Z';

  it('does not touch anything without a journal', async () => {
    expect(await settleRestore(folder, 'db', systemClock)).toBe(false);
    expect(readdirSync(folder).toSorted()).toEqual(['data', 'restoring']);
  });

  it('is thrown away while nothing was decided', async () => {
    await writeJournal(folder, { phase: 'preparing', restore: 'work-1' });
    expect(await settleRestore(folder, 'db', systemClock)).toBe(true);
    expect(readdirSync(folder)).toEqual(['data']);
    expect(which()).toBe('old');
  });

  it.each([
    ['before any rename', () => undefined],
    ['after the old data was put aside', () => renameSync(join(folder, 'data'), join(folder, aside))],
    [
      'after both renames',
      () => {
        renameSync(join(folder, 'data'), join(folder, aside));
        renameSync(join(folder, 'restoring'), join(folder, 'data'));
      },
    ],
    ['when the old data was lost altogether', () => rmSync(join(folder, 'data'), { recursive: true })],
  ])('is completed once it was decided: %s', async (_when, crash) => {
    await writeJournal(folder, decided);
    crash();
    expect(await settleRestore(folder, 'db', systemClock)).toBe(true);
    expect(await settleRestore(folder, 'db', systemClock)).toBe(false);
    expect(which()).toBe('new');
    expect(readdirSync(folder)).not.toContain('restoring');
    expect(await readTimelines(folder, 'db')).toMatchObject([{ timeline: 1 }, { timeline: 2, restore: 'work-1' }]);
  });

  it('is not guessed at when the journal cannot be read', async () => {
    writeFileSync(join(folder, 'restore.json'), '{"phase":"deci');
    await expect(settleRestore(folder, 'db', systemClock)).rejects.toMatchObject({ code: 'local_record_unreadable' });
    expect(which()).toBe('old');
  });
});
