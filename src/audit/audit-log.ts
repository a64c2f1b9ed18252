import type { Json } from '../digest/json.ts';
import { type Clock, timestamp } from '../effects/clock.ts';
import { SluiceError } from '../errors/sluice-error.ts';
import type { Vault } from '../secrets/vault.ts';
import type { Store, Write } from '../store/store.ts';
import { type AuditEntry, type AuditHead, type AuditRecord, chained, origin } from './audit-record.ts';
import type { HeadKeeper } from './head-file.ts';
import { type AuditVerification, checkHead, discontinuity, verifyAudit } from './verify.ts';

/** The record of every change: who, what, when, why, with what outcome. Append-only and hash-chained. */
export interface AuditLog {
  /**
   * Appends a record, in one transaction with `writes`: a change and its record are both there or neither is. Throws what the store
   * throws, `store_conflict` for an expectation of `writes`.
   */
  append(entry: AuditEntry, writes?: readonly Write[]): Promise<AuditRecord>;
  /** Records after `after`, oldest first. */
  read(after: number, limit: number): Promise<readonly AuditRecord[]>;
  last(): Promise<number>;
  /** Holds the whole log against its chain, its head in the database and its head outside. */
  verify(): Promise<AuditVerification>;
  /** At start: brings the head outside up to date, or records that the log is shorter than it says. */
  open(): Promise<void>;
}

const log = 'audit';
const collection = 'audit';
const headKey = 'head';
const page = 1_000;

export function createAuditLog(dependencies: {
  readonly store: Store;
  readonly vault: Pick<Vault, 'fingerprint'>;
  readonly clock: Clock;
  readonly keeper: HeadKeeper;
}): AuditLog {
  const { store, vault, clock, keeper } = dependencies;
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <Value>(task: () => Promise<Value>): Promise<Value> => {
    const result = queue.then(task);
    queue = result.catch(() => undefined);
    return result;
  };

  const sealOf = ({ count, digest }: Omit<AuditHead, 'seal'>): string => vault.fingerprint(`sluice audit head\n${count}\n${digest}`);
  const isSealed = (head: AuditHead): boolean => head.seal === sealOf(head);
  const headOf = ({ sequence, digest }: AuditRecord): AuditHead => {
    const head = { count: sequence, digest };
    return { ...head, seal: sealOf(head) };
  };

  const stored = async (): Promise<{ head: AuditHead | undefined; version: number }> => {
    const document = await store.get(collection, headKey);
    return { head: document?.value as unknown as AuditHead | undefined, version: document?.version ?? 0 };
  };

  const readOutside = async (): Promise<AuditHead | 'unreadable' | undefined> => {
    try {
      const text = await keeper.read();
      if (text === undefined) return undefined;
      const { count, digest, seal } = JSON.parse(text) as Partial<AuditHead>;
      return typeof count === 'number' && typeof digest === 'string' && typeof seal === 'string' ? { count, digest, seal } : 'unreadable';
    } catch {
      return 'unreadable';
    }
  };

  const add = async (entry: AuditEntry, writes: readonly Write[]): Promise<AuditRecord> => {
    for (;;) {
      const { head, version } = await stored();
      const place = { sequence: (head?.count ?? 0) + 1, time: timestamp(clock.now()), previous: head?.digest ?? origin };
      const record = chained(entry, place);
      try {
        await store.transact([
          { operation: 'put', collection, key: headKey, value: { ...headOf(record) } as unknown as Json, ifVersion: version },
          { operation: 'append', log, value: record as unknown as Json },
          ...writes,
        ]);
      } catch (error) {
        // Another control plane has appended in between; any other conflict is about what the caller expects.
        const overtaken = error instanceof SluiceError && error.code === 'store_conflict' && (await stored()).version !== version;
        if (overtaken) continue;
        throw error;
      }
      await keeper.write(`${JSON.stringify(headOf(record))}\n`);
      return record;
    }
  };

  const readAll = async (): Promise<readonly AuditRecord[]> => {
    const records: AuditRecord[] = [];
    for (let after = 0; ; ) {
      const entries = await store.read(log, after, page);
      records.push(...entries.map(({ value }) => value as unknown as AuditRecord));
      after = entries.at(-1)?.sequence ?? after;
      if (entries.length < page) return records;
    }
  };

  return {
    append: (entry, writes = []) => inTurn(() => add(entry, writes)),
    read: async (after, limit) => (await store.read(log, after, limit)).map(({ value }) => value as unknown as AuditRecord),
    last: () => store.last(log),
    verify: async () => {
      const evidence = await inTurn(async () => ({ records: await readAll(), head: (await stored()).head, outside: await readOutside() }));
      return verifyAudit({ ...evidence, isSealed });
    },
    open: () =>
      inTurn(async () => {
        const { head } = await stored();
        const outside = await readOutside();
        if (head === undefined && outside === undefined) return;
        const records = await readAll();
        const [finding] =
          outside === 'unreadable'
            ? [{ problem: 'the head outside the database could not be read' }]
            : checkHead('the head outside the database', outside, records, isSealed, 'may lag');
        if (finding !== undefined) {
          const kept = outside !== undefined && outside !== 'unreadable';
          const details = { problem: finding.problem, ...(kept && { count: outside.count, digest: outside.digest }) };
          await add({ actor: { name: 'control plane' }, action: discontinuity, phase: 'done', details }, []);
        } else if (head !== undefined) await keeper.write(`${JSON.stringify(head)}\n`);
      }),
  };
}
