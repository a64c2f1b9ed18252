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

it('takes the code from an image in place of folder and command, and from a folder in place of an image', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'a'));
  const image = '  - { name: two, image: "agent:1", command: [serve], version: 1.0.0 }\n';
  await writeFile(join(folder, 'stack.yaml'), `service:\n${block('one')}${image}`);
  const loaded = await loadStack(folder);
  if (!loaded.ok) throw new Error('the stack does not load');
  const codeOf = (overrides: Parameters<typeof overridden>[1]) => {
    const fields = overridden(loaded.value, overrides).blocks.find(({ name }) => name === overrides?.service)?.fields;
    return [fields?.['source'], fields?.['image'], fields?.['command']];
  };
  expect(codeOf({ service: 'one', image: 'agent:2' })).toEqual([undefined, 'agent:2', undefined]);
  expect(codeOf({ service: 'two', image: 'agent:2' })).toEqual([undefined, 'agent:2', ['serve']]);
  expect(codeOf({ service: 'two', source: 'a' })).toEqual(['a', undefined, ['serve']]);
});
