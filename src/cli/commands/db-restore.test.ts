import pico from 'picocolors';
import { describe, expect, it } from 'vitest';
import { renderBackups } from './db-backups.ts';
import { timeOf } from './db-restore.ts';

describe('the time of a restore', () => {
  it.each(['latest', '2026-11-22T10:00:00Z', '2026-11-22T10:00:00.123456+01:00'])('%s is passed on as it is', (given) => {
    expect(timeOf(given)).toBe(given);
  });

  it.each(['2026-11-22 10:00', '2026-11-22T10:00', '2026-11-22 10:00:00.000'])('%s is a time of this machine', (given) => {
    expect(timeOf(given)).toBe(new Date(2026, 10, 22, 10).toISOString());
  });

  it.each(['yesterday', '10:00', '2026-13-40 10:00', ''])("'%s' is refused", (given) => {
    expect(() => timeOf(given)).toThrow('is not a time such as');
  });
});

describe('the list of backups', () => {
  const look = { colors: pico.createColors(false), width: () => 100 };
  const now = Date.UTC(2026, 10, 22, 12);

  it('says how far back the database can go', () => {
    const backup = { id: 'backup-1', startedAt: '2026-11-22T00:00:00.000Z', stoppedAt: '2026-11-22T00:00:01.000Z', bytes: 31_457_280 };
    const text = renderBackups({ retentionDays: 7, items: [backup], restorable: [{ from: backup.stoppedAt }], replaced: [] }, look, now);
    expect(text).toContain('can go back to  2026-11-22T00:00:01.000Z to now');
    expect(text).toMatch(/backup-1 +2026-11-22T00:00:01.000Z +30.0 MiB +11h/);
  });

  it('says that there is nothing yet', () => {
    expect(renderBackups({ retentionDays: 0, items: [], restorable: [], replaced: [] }, look, now)).toContain('no time yet');
  });
});
