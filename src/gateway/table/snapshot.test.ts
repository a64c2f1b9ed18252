import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSnapshot } from './snapshot.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-snapshot-'));
});
afterEach(() => rm(folder, { recursive: true }));

const table = { version: 3, listeners: [], services: [] };

test('a table comes back as it was saved, from a file only its owner reads', async () => {
  const path = join(folder, 'table.json');
  const snapshot = createSnapshot(path, () => 1);
  expect(await snapshot.load()).toEqual({});
  await snapshot.save(table);
  expect(await createSnapshot(path, () => 1).load()).toEqual({ table });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test.each(['', '{"version":3,"list', '[]', '{"version":"3","listeners":[],"services":[]}', '\0\0\0'])(
  'a damaged file (%j) is set aside, once',
  async (content) => {
    const path = join(folder, 'table.json');
    await writeFile(path, content);
    const snapshot = createSnapshot(path, () => 42);
    const { damaged } = await snapshot.load();
    expect(damaged?.setAside).toBe(`${path}.damaged-42`);
    expect(await readFile(`${path}.damaged-42`, 'utf8')).toBe(content);
    expect(await readdir(folder)).toEqual(['table.json.damaged-42']);
    expect(await snapshot.load()).toEqual({});
  },
);

test('a table is checked unless its file is as this version has written it', async () => {
  const path = join(folder, 'table.json');
  const snapshot = createSnapshot(path, () => 42);
  const unsound = { ...table, listeners: [{ environment: 'e', host: '127.0.0.1', port: 70_000 }] };
  await snapshot.save(unsound);
  expect(await snapshot.load()).toEqual({ table: unsound });
  const written = await readFile(path, 'utf8');
  await writeFile(path, written.replace('70000', '80'));
  expect(await snapshot.load()).toMatchObject({ table: { listeners: [{ port: 80 }] } });
  await writeFile(path, written.replace('70000', '70001'));
  expect((await snapshot.load()).damaged?.reason).toContain('out of range');
  await writeFile(path, JSON.stringify(unsound));
  expect((await snapshot.load()).damaged?.reason).toContain('out of range');
});
