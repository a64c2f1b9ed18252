import { DatabaseSync } from 'node:sqlite';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../effects/clock.ts';
import { seededRandom } from '../effects/random.ts';
import { createVault } from '../secrets/file-vault.ts';
import { checksumOf } from '../store/checksum.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { type AuditLog, createAuditLog } from './audit-log.ts';
import { type AuditEntry, type AuditRecord, chained } from './audit-record.ts';
import { headFile } from './head-file.ts';

const vault = createVault(new Uint8Array(32).fill(3), seededRandom(1));
const entry = (target: string): AuditEntry => ({ actor: { name: 'ann', key: 'key-1' }, action: 'service.scale', phase: 'done', target });

describe('the audit log', () => {
  let folder: string;
  let store: Store;
  let audit: AuditLog;
  const open = async (): Promise<void> => {
    store = await openSqliteStore({ path: join(folder, 'state.db') });
    audit = createAuditLog({ store, vault, clock: systemClock, keeper: headFile(join(folder, 'audit.head')) });
    await audit.open();
  };
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-audit-'));
    await open();
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  /** Changes the database behind the program's back, as somebody who knows that its rows have checksums. */
  const tamper = async (change: (database: DatabaseSync) => void): Promise<void> => {
    await store.close();
    const database = new DatabaseSync(join(folder, 'state.db'));
    change(database);
    for (const { log, sequence, value } of database.prepare('SELECT log, sequence, value FROM log').all()) {
      const checksum = checksumOf(String(log), '', Number(sequence), String(value));
      database.prepare('UPDATE log SET checksum = ? WHERE log = ? AND sequence = ?').run(checksum, String(log), Number(sequence));
    }
    for (const { collection, key, version, value } of database.prepare('SELECT * FROM documents').all()) {
      const checksum = checksumOf(String(collection), String(key), Number(version), String(value));
      database.prepare('UPDATE documents SET checksum = ? WHERE collection = ? AND key = ?').run(checksum, String(collection), String(key));
    }
    database.close();
    store = await openSqliteStore({ path: join(folder, 'state.db') });
    audit = createAuditLog({ store, vault, clock: systemClock, keeper: headFile(join(folder, 'audit.head')) });
  };
  const findings = async (): Promise<readonly unknown[]> =>
    (await audit.verify()).findings.map(({ sequence, problem }) => [sequence, problem.slice(0, 60)]);
  const five = async (): Promise<void> => {
    for (const target of ['a', 'b', 'c', 'd', 'e']) await audit.append(entry(target));
  };
  const rewritten = (sequence: number, change: Partial<AuditRecord>) => async (): Promise<void> => {
    const [record] = await audit.read(sequence - 1, 1);
    const value = JSON.stringify({ ...record, ...change });
    await tamper((database) => database.prepare("UPDATE log SET value = ? WHERE log = 'audit' AND sequence = ?").run(value, sequence));
  };

  it('chains records, keeps them in order, and finds nothing wrong with a log that nobody touched', async () => {
    expect(await audit.verify()).toEqual({ ok: true, records: 0, findings: [] });
    await Promise.all(Array.from({ length: 20 }, (_, index) => audit.append(entry(String(index)))));
    const records = await audit.read(0, 100);
    expect(records.map(({ sequence, target }) => [sequence, target])).toEqual(
      Array.from({ length: 20 }, (_, index) => [index + 1, String(index)]),
    );
    expect(await audit.verify()).toEqual({ ok: true, records: 20, head: records.at(-1)?.digest, findings: [] });
  });

  it('writes a record and its change together or not at all', async () => {
    await audit.append(entry('a'), [{ operation: 'put', collection: 'things', key: 'a', value: 1, ifVersion: 0 }]);
    const second = audit.append(entry('b'), [{ operation: 'put', collection: 'things', key: 'a', value: 2, ifVersion: 0 }]);
    await expect(second).rejects.toMatchObject({ code: 'store_conflict' });
    expect([await audit.last(), (await audit.verify()).ok]).toEqual([1, true]);
  });

  it('is one chain when several control planes append at once', async () => {
    const others = [1, 2, 3].map((index) =>
      createAuditLog({ store, vault, clock: systemClock, keeper: headFile(join(folder, `audit-${index}.head`)) }),
    );
    await Promise.all(others.flatMap((other) => ['x', 'y', 'z'].map((target) => other.append(entry(target)))));
    expect(await others[0]?.verify()).toMatchObject({ ok: true, records: 9 });
  });

  it('finds an edited record', async () => {
    await five();
    await rewritten(3, { actor: { name: 'somebody else' } })();
    expect(await findings()).toEqual([[3, 'it was changed after it was written']]);
  });

  it('finds an edited record whose digest was made anew', async () => {
    await five();
    const [record] = (await audit.read(2, 1)) as [AuditRecord];
    const { digest } = chained({ ...entry('forged') }, record);
    await rewritten(3, { ...entry('forged'), digest })();
    expect((await findings())[0]).toEqual([4, expect.stringContaining('does not follow from the record before')]);
  });

  it('finds a removed record, two that changed places, and an added one', async () => {
    await five();
    await tamper((database) => database.exec("DELETE FROM log WHERE log = 'audit' AND sequence = 2"));
    expect((await findings())[0]).toEqual([2, 'the records 2 to 2 are missing']);
    await tamper((database) => {
      database.exec("UPDATE log SET sequence = 2 WHERE log = 'audit' AND sequence = 3");
      database.exec("UPDATE log SET sequence = 3 WHERE log = 'audit' AND sequence = 4");
    });
    expect((await findings())[0]).toEqual([2, 'the records 2 to 2 are missing']);
  });

  it('finds records that changed places', async () => {
    await five();
    await tamper((database) => {
      for (const [from, to] of [
        [2, 90],
        [3, 2],
        [90, 3],
      ])
        database.exec(`UPDATE log SET sequence = ${to} WHERE log = 'audit' AND sequence = ${from}`);
    });
    expect((await findings())[0]).toEqual([2, 'the records 2 to 2 are missing']);
  });

  it('finds a log that was cut off, also when its head in the database was put back to match', async () => {
    await five();
    const [third] = (await audit.read(2, 1)) as [AuditRecord];
    const earlier = { count: 3, digest: third.digest, seal: vault.fingerprint(`sluice audit head\n3\n${third.digest}`) };
    await tamper((database) => database.exec("DELETE FROM log WHERE log = 'audit' AND sequence > 3"));
    expect(await findings()).toHaveLength(2);
    await tamper((database) => database.prepare("UPDATE documents SET value = ? WHERE collection = 'audit'").run(JSON.stringify(earlier)));
    expect(await findings()).toEqual([[undefined, expect.stringContaining('the log ends at record 3, and the head outside')]]);
    // Appending over it does not hide it: the next start writes down what it found.
    await store.close();
    await open();
    await audit.append(entry('later'));
    expect(await findings()).toEqual([[4, expect.stringContaining('the log ends at record 3')]]);
  });

  it('finds a chain that was made anew from the start by someone without the key', async () => {
    await five();
    const records = await audit.read(0, 5);
    let previous = (records[0] as AuditRecord).previous;
    const forged = records.map(({ sequence, time }) => {
      const record = chained(entry('forged'), { sequence, time, previous });
      previous = record.digest;
      return record;
    });
    await tamper((database) => {
      for (const record of forged)
        database.prepare("UPDATE log SET value = ? WHERE log = 'audit' AND sequence = ?").run(JSON.stringify(record), record.sequence);
      const head = { count: 5, digest: previous, seal: 'sha256:guessed' };
      database.prepare("UPDATE documents SET value = ? WHERE collection = 'audit'").run(JSON.stringify(head));
    });
    expect(await findings()).toEqual(
      [
        [undefined, 'the head in the database was not sealed with the key of this'],
        [5, 'it is not the record the head outside the database was seal'],
      ].map(([sequence, text]) => [sequence, expect.stringContaining(String(text).slice(0, 40))]),
    );
  });

  it('takes a head outside that lags behind after a crash for what it is, and brings it up to date', async () => {
    await five();
    const keeper = headFile(join(folder, 'audit.head'));
    const older = await keeper.read();
    await audit.append(entry('f'));
    await keeper.write(older ?? '');
    expect((await audit.verify()).ok).toBe(true);
    await audit.open();
    expect(JSON.parse((await keeper.read()) ?? '')).toMatchObject({ count: 6 });
    rmSync(join(folder, 'audit.head'));
    expect(await findings()).toEqual([[undefined, 'the head outside the database is missing']]);
  });
});
