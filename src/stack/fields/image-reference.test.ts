import { expect, it } from 'vitest';
import { parseImageReference } from './image-reference.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

it.each([
  ['node', 'docker.io/library/node', 'latest', undefined],
  ['team/agent:1.2', 'docker.io/team/agent', '1.2', undefined],
  ['docker.io/node:22', 'docker.io/library/node', '22', undefined],
  ['localhost/agent', 'localhost/agent', 'latest', undefined],
  ['127.0.0.1:5000/a/b__c-d.e:V_1', '127.0.0.1:5000/a/b__c-d.e', 'V_1', undefined],
  ['[::1]:5000/agent', '[::1]:5000/agent', 'latest', undefined],
  ['Registry/agent', 'Registry/agent', 'latest', undefined],
  [`ghcr.io/team/agent@${digest}`, 'ghcr.io/team/agent', undefined, digest],
  [`ghcr.io/team/agent:1@${digest}`, 'ghcr.io/team/agent', '1', digest],
])('reads %s as Docker does', (text, name, tag, pinned) => {
  const read = parseImageReference(text);
  expect([read?.name, read?.tag, read?.digest]).toEqual([name, tag, pinned]);
});

it.each([
  '',
  'Agent',
  'a//b',
  '/a',
  'a/',
  'a b',
  'a:',
  'a:-1',
  `a:${'x'.repeat(129)}`,
  'a@sha256:12',
  'a..b',
  'https://a/b',
  '${secret.x}',
  'a\n',
  'f'.repeat(64),
  `a/${'b'.repeat(256)}`,
])('refuses %j', (text) => {
  expect(parseImageReference(text)).toBeUndefined();
});
