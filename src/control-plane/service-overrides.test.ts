import { expect, it } from 'vitest';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../cli/testdata/temporary-folder.ts';
import { loadStack } from '../stack/load.ts';
import { overridden } from './service-overrides.ts';

const block = (name: string): string => `  - { name: ${name}, source: a, command: [x], version: 1.0.0, env: { KEEP: k, LEVEL: info } }\n`;

it('gives one service other variables and another source, and nothing else', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'a'));
  await writeFile(join(folder, 'stack.yaml'), `service:\n${block('one')}${block('two')}`);
  const loaded = await loadStack(folder);
  if (!loaded.ok) throw new Error('the stack does not load');
  const fields = (stack: typeof loaded.value) => stack.blocks.map((each) => [each.name, each.fields['source'], each.fields['env']]);
  expect(fields(overridden(loaded.value, { service: 'one', env: { LEVEL: 'debug' }, source: 'b' }))).toEqual([
    ['one', 'b', { KEEP: 'k', LEVEL: 'debug' }],
    ['two', 'a', { KEEP: 'k', LEVEL: 'info' }],
  ]);
  const [one] = overridden(loaded.value, { service: 'one', env: { LEVEL: 'debug' }, source: 'b' }).blocks;
  const files = ['source', 'env.LEVEL', 'env.KEEP', 'version'].map((field) => one?.positionOf(field).file.split('/').at(-1));
  expect(files).toEqual(['--source', '--env', 'stack.yaml', 'stack.yaml']);
  expect(overridden(loaded.value, undefined)).toBe(loaded.value);
  expect(() => overridden(loaded.value, { service: 'three' })).toThrow("The stack declares no service 'three'");
});
