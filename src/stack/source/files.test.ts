import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadStack } from '../load.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-files-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

const group = (name: string) => `resource_group: { name: ${name} }\n`;

async function names(): Promise<readonly string[]> {
  const loaded = await loadStack(folder);
  expect(loaded.problems).toEqual([]);
  return loaded.ok ? loaded.value.blocks.map(({ name }) => name) : [];
}

describe('what is read of a folder', () => {
  it('all YAML files directly in it, in the order of their names', async () => {
    write({
      'b.yml': group('b'),
      'a.yaml': group('a'),
      '.hidden.yaml': 'x',
      'notes.txt': 'x',
      'deeper/c.yaml': 'x',
      '.sluice/d.yaml': 'x',
    });
    expect(await names()).toEqual(['a', 'b']);
  });

  it('only stack.yaml and the files of stack.d where there is a stack.yaml', async () => {
    write({ 'stack.yaml': group('a'), 'openapi.yaml': 'openapi: 3.1.0', 'stack.d/z.yaml': group('z'), 'stack.d/b.yml': group('b') });
    expect(await names()).toEqual(['a', 'b', 'z']);
  });

  it('blocks of different files refer to each other', async () => {
    write({ 'a.yaml': group('a'), 'b.yaml': 'network: { name: n, resource_group_name: a, address_space: 10.0.0.0/8 }' });
    expect(await names()).toEqual(['a', 'n']);
  });

  it('a name that two files declare is an error that names both places', async () => {
    write({ 'a.yaml': group('a'), 'b.yaml': group('a') });
    const { problems } = await loadStack(folder);
    expect(problems).toMatchObject([{ code: 'duplicate_block', position: { file: join(folder, 'b.yaml'), line: 1, column: 25 } }]);
    expect(problems[0]?.message).toContain(`${join(folder, 'a.yaml')}:1:17`);
  });

  it('never a file that a link leads out to', async () => {
    write({ 'inner/a.yaml': group('a'), 'secret.yaml': group('b') });
    symlinkSync(join(folder, 'secret.yaml'), join(folder, 'inner', 'b.yaml'));
    const { problems } = await loadStack(join(folder, 'inner'));
    expect(problems.map(({ code }) => code)).toEqual(['path_outside_stack']);
  });

  it('its root is where its paths start, and existing ones are found', async () => {
    write({
      'stack.yaml': 'service: { name: a, source: code, command: [node], version: 1.0.0, policy: p.yaml }',
      'code/main.js': '',
      'p.yaml': '',
    });
    expect(await names()).toEqual(['a']);
  });
});
