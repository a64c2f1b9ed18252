import { describe, expect, it } from 'vitest';
import type { LivedTimeline } from '../restore/timelines.ts';
import type { Manifest } from './manifest.ts';
import { keepWithin } from './retention.ts';
import { nextBackup } from './schedule.ts';
import { belongsInBackup } from './base-backup.ts';

const day = (number: number): string => new Date(Date.UTC(2026, 10, 1) + (number - 1) * 86_400_000).toISOString();
const at = (number: number): string => `0/${(number * 2 ** 24).toString(16).toUpperCase()}`;

/** A backup of a day that lies in one segment of the log. */
function backup(number: number, segment: number, timeline = 1): Manifest {
  const [startPosition, stopPosition] = [at(segment), at(segment).replace('000000', '000100')];
  const id = `backup-${number}`;
  return {
    id,
    version: '15',
    timeline,
    startPosition,
    stopPosition,
    startedAt: day(number),
    stoppedAt: day(number),
    bytes: 1,
    label: '',
    files: [],
  };
}

const first: LivedTimeline = { timeline: 1, since: new Date(0).toISOString(), ancestors: [] };
/** On the 5th the database was restored to where segment 25 begins. */
const second: LivedTimeline = { timeline: 2, since: day(5), ancestors: [{ timeline: 1, until: at(25) }], restore: 'work-1' };
const kept = (manifests: readonly Manifest[], timelines: readonly LivedTimeline[], from: number) => {
  const found = keepWithin({ manifests, timelines, from: Date.parse(day(from)) });
  const segments = (timeline: number) =>
    Array.from({ length: 60 }, (_, number) => number).filter((number) => found.needs({ timeline, number }));
  return { backups: [...found.backups].toSorted(), first: segments(1), second: segments(2) };
};
const from = (start: number, end = 59) => Array.from({ length: end - start + 1 }, (_, index) => start + index);

describe('what is kept', () => {
  it('is every backup of the window, the last one before it, and the log from there on', () => {
    const manifests = [backup(1, 10), backup(2, 20), backup(3, 30), backup(4, 40)];
    expect(kept(manifests, [first], 3)).toMatchObject({ backups: ['backup-3', 'backup-4'], first: from(30) });
    expect(kept(manifests, [first], 3.5)).toMatchObject({ backups: ['backup-3', 'backup-4'], first: from(30) });
    expect(kept(manifests, [first], 2)).toMatchObject({ backups: ['backup-2', 'backup-3', 'backup-4'], first: from(20) });
  });

  it('is the last backup, however old, and all of the log while there is none', () => {
    expect(kept([backup(1, 10), backup(2, 20)], [first], 99)).toMatchObject({ backups: ['backup-2'], first: from(20) });
    expect(kept([], [first], 99)).toMatchObject({ backups: [], first: from(0) });
  });

  it('is what was written before a restore too, as long as its time is in the window', () => {
    const manifests = [backup(1, 10), backup(2, 20), backup(4, 40), backup(6, 30, 2)];
    expect(kept(manifests, [first, second], 3)).toEqual({
      backups: ['backup-2', 'backup-4', 'backup-6'],
      first: from(20),
      second: from(25),
    });
  });

  it('is only what the present goes back to once the time before the restore is over', () => {
    const manifests = [backup(1, 10), backup(2, 20), backup(4, 40), backup(6, 30, 2)];
    expect(kept(manifests, [first, second], 5.5)).toEqual({ backups: ['backup-2', 'backup-6'], first: from(20, 24), second: from(25) });
    expect(kept(manifests, [first, second], 7)).toEqual({ backups: ['backup-6'], first: [], second: from(30) });
  });

  it('is nothing of a timeline that was never lived on', () => {
    const found = keepWithin({ manifests: [backup(1, 10)], timelines: [first], from: Date.parse(day(1)) });
    expect(found.needs({ timeline: 7, number: 20 })).toBe(false);
  });
});

describe('the next backup', () => {
  it('is wanted at once without one, and then within the half hour before a day is over, at another time for each database', () => {
    expect(nextBackup('default/database/a', undefined)).toBe(0);
    const [a, b] = [nextBackup('default/database/a', 0), nextBackup('default/database/b', 0)];
    expect(a).not.toBe(b);
    for (const next of [a, b]) {
      expect(next).toBeGreaterThan(23.5 * 3_600_000 - 1);
      expect(next).toBeLessThanOrEqual(24 * 3_600_000);
    }
  });
});

describe('a base backup', () => {
  it.each([
    ['base/1/1259', true],
    ['global/pg_control', true],
    ['pg_wal', true],
    ['pg_wal/archive_status', true],
    ['pg_wal/000000010000000000000001', false],
    ['pg_wal/archive_status/000000010000000000000001.done', false],
    ['postmaster.pid', false],
    ['pg_replslot', true],
    ['pg_replslot/slot', false],
    ['base/1/pg_internal.init', false],
    ['base/pgsql_tmp/pgsql_tmp1.0', false],
    ['backup_label.old', false],
    ['sluice.conf', true],
  ])('of %s: %s', (path, wanted) => {
    expect(belongsInBackup(path)).toBe(wanted);
  });
});
