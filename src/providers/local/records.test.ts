import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Address } from '../../stack/stack.ts';
import { createRecords, type ResourceRecord } from './records.ts';

const record: ResourceRecord = { id: 'a-1', operation: 'one', phase: 'made', details: { port: 1 } };

describe('the records of the local provider', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'sluice-home-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  it('are kept by address, listed by kind, and leave no folder behind', async () => {
    const records = createRecords(home);
    const addresses: Address[] = ['staging/secret/a', 'production/secret/a', 'production/cache/a'];
    for (const address of addresses) await records.put(address, { ...record, id: address });
    expect((await createRecords(home).get('production/cache/a'))?.id).toBe('production/cache/a');
    expect((await records.list('secret')).map(({ address }) => address).toSorted()).toEqual(['production/secret/a', 'staging/secret/a']);
    for (const address of [...addresses, ...addresses]) await records.remove(address);
    expect(readdirSync(home)).toEqual([]);
    expect(await records.get('production/cache/a')).toBeUndefined();
  });

  it('survive that their neighbours come and go at the same time', async () => {
    const records = createRecords(home);
    const work = Array.from({ length: 40 }, async (_, index) => {
      const address: Address = `default/secret/s${index}`;
      await records.put(address, record);
      if (index % 2 === 0) await records.remove(address);
    });
    await Promise.all(work);
    expect(await records.list('secret')).toHaveLength(20);
  });

  it.each([
    'default/secret/../../../etc/passwd',
    'default/secret/..',
    '../secret/a',
    'default/secret/a\0',
    'default/SECRET/a',
    'default/secret',
  ])('refuse %j: nothing but names becomes part of a path', async (address) => {
    await expect(createRecords(home).put(address as Address, record)).rejects.toMatchObject({ code: 'local_name_unusable' });
  });

  it('that cannot be read are an error with the name of the file', async () => {
    await createRecords(home).put('default/secret/a', record);
    writeFileSync(join(home, 'local', 'default', 'secret', 'a.json'), '{');
    await expect(createRecords(home).get('default/secret/a')).rejects.toMatchObject({ code: 'local_record_unreadable' });
  });
});
