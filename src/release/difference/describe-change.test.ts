import { expect, test } from 'vitest';
import type { ReleaseContent } from '../release.ts';
import { type ComparedRelease, describeChange, isSameContent } from './describe-change.ts';
import type { ReleaseFile } from './release-files.ts';

const file = (path: string, text?: string, digest = text ?? ''): ReleaseFile => ({
  path,
  digest: `sha256:${digest}`,
  ...(text !== undefined && { text }),
});
const content: ReleaseContent = {
  source: 'sha256:1',
  command: ['node', 'server.js'],
  environment: { LOG_LEVEL: 'info', KEY: '${secret.key}' },
  model: { name: 'small', version: '2026-05-01', parameters: { temperature: 0 } },
};
const before: ComparedRelease = {
  version: '1.2.0',
  content,
  files: {
    source: [file('source/server.js', 'one\ntwo\nthree\n'), file('source/old.js', 'x\n')],
    prompts: [file('prompts/system.md', 'Be kind to everybody who asks.\n')],
    api: [file('api.yaml', 'openapi: 3.1.0\npaths: { /a: { get: { responses: {} } } }\n')],
  },
};

test('nothing is different between a release and itself', () => {
  const change = describeChange(before, before);
  expect(change).toEqual({
    version: { from: '1.2.0', to: '1.2.0', bump: 'none' },
    files: [],
    prompts: [],
    environment: [],
    apiComparison: 'same',
    api: [],
    migrations: [],
  });
  expect(isSameContent(change)).toBe(true);
});

test('every part that changes is told, prompts word by word and the API by what breaks', () => {
  const change = describeChange(before, {
    version: '1.3.0',
    content: {
      ...content,
      command: ['node', 'main.js'],
      environment: { KEY: '${secret.other}', NEW: '1' },
      model: { name: 'small', version: '2026-06-01', parameters: { temperature: 0.5 } },
    },
    files: {
      source: [file('source/server.js', 'one\n2\nthree\nfour\n'), file('source/logo.png', undefined, 'png')],
      prompts: [file('prompts/system.md', 'Be very kind to everybody.\n')],
      api: [file('api.yaml', 'openapi: 3.0.3\npaths: {}\n')],
      migrations: [file('migrations/001_add.expand.sql', 'select 1'), file('migrations/notes.md', 'x')],
    },
  });
  expect(change.files.map(({ path, change: kind, lines }) => [path, kind, lines?.added, lines?.removed])).toEqual([
    ['source/logo.png', 'added', undefined, undefined],
    ['source/old.js', 'removed', 0, 1],
    ['source/server.js', 'changed', 2, 1],
    ['prompts/system.md', 'changed', 1, 1],
    ['api.yaml', 'changed', 2, 2],
    ['migrations/001_add.expand.sql', 'added', 1, 0],
    ['migrations/notes.md', 'added', 1, 0],
  ]);
  expect(change.files[2]?.diff).toBe('@@ -1,3 +1,4 @@\n one\n-two\n+2\n three\n+four');
  const marks = { same: ['', ''], added: ['{+', '+}'], removed: ['[-', '-]'] } as const;
  const words = change.prompts[0]?.words.map(({ change: kind, text }) => `${marks[kind][0]}${text}${marks[kind][1]}`).join('');
  expect(words).toBe('Be {+very +}kind to everybody[- who asks-].\n');
  expect(change).toMatchObject({
    version: { bump: 'minor' },
    model: { version: { from: '2026-05-01', to: '2026-06-01' }, parameters: [{ name: 'temperature', from: 0, to: 0.5 }] },
    environment: [
      { name: 'KEY', from: '${secret.key}', to: '${secret.other}' },
      { name: 'LOG_LEVEL', from: 'info' },
      { name: 'NEW', to: '1' },
    ],
    command: { from: ['node', 'server.js'], to: ['node', 'main.js'] },
    apiComparison: 'compared',
    api: [{ path: 'GET /a', breaking: true, what: 'the operation is removed' }],
    migrations: [
      { name: '001_add.expand.sql', change: 'added', phase: 'expand' },
      { name: 'notes.md', change: 'added' },
    ],
  });
});

const lines = (word: string): string => Array.from({ length: 9_000 }, (_, index) => `${word} ${index}\n`).join('');

test('a diff is bounded, its counts are not, and texts without a common line end quickly', () => {
  const [change] = describeChange(before, {
    ...before,
    files: { ...before.files, source: [file('source/server.js', lines('a'))] },
  }).files.slice(-1);
  expect(change).toMatchObject({ path: 'source/server.js', lines: { added: 9_000, removed: 3 } });
  expect(change?.diff?.split('\n')).toHaveLength(200);
  expect(change?.omitted).toBeGreaterThan(8_000);
  const other = { ...before, files: { source: [file('source/a', lines('a'))] } };
  expect(describeChange(other, { ...other, files: { source: [file('source/a', lines('b'))] } }).files[0]?.lines).toEqual({
    added: 9_000,
    removed: 9_000,
  });
});

test('an API that can no longer be read is not taken for an unchanged one', () => {
  const odd = describeChange(before, { ...before, files: { ...before.files, api: [file('api.yaml', 'swagger: "2.0"')] } });
  expect(odd).toMatchObject({ apiComparison: 'unreadable', api: [] });
});
