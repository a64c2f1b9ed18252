import { describe, expect, it } from 'vitest';
import { loadStackText } from '../load.ts';

const problems = (text: string): readonly string[] =>
  loadStackText(text).problems.map(({ message, position }) => `${position?.line}: ${message}`);
const notification = (fields: string) => problems(`secret: { name: key, value: { env: KEY } }\nnotification: { name: a, ${fields} }`);
const service = (rollout: string) =>
  problems(
    `secret: { name: key, value: { env: KEY } }\nservice: { name: a, source: a, command: [a], version: 1.0.0, rollout: ${rollout} }`,
  );
const hook = 'name: h, url: "https://x.example/"';

describe('a notification in a stack', () => {
  it.each([
    'url: "https://x.example/a?b=c"',
    'url: "http://[::1]:8080/"',
    'url: "${secret.key}"',
    'url: "https://x.example/${secret.key}", format: slack',
  ])('is accepted with %s', (fields) => {
    expect(notification(`${fields}, secret: "\${secret.key}", on: [held]`)).toEqual([]);
  });

  it.each([
    ['url: "ftp://x.example/"', 'starts with http:// or https://'],
    ['url: "https://ann:word@x.example/"', 'neither user name nor password'],
    ['url: "https://x.example/a b"', 'starts with http:// or https://'],
    ['url: "file://${secret.key}"', "'url' must be known when planning"],
    ['url: "https://x.example/", secret: plain', 'a secret itself is never written in a stack'],
    ['url: "https://x.example/", secret: "${secret.other}"', "'other'"],
    ['url: "https://x.example/", on: [everything]', 'on'],
    ['url: "https://x.example/", on: []', 'at least one event'],
    ['url: "https://x.example/", services: [nobody]', "'nobody'"],
  ])('is refused with %s', (fields, words) => {
    expect(notification(fields)).toEqual([expect.stringContaining(words)]);
  });
});

describe('hooks in a stack', () => {
  it.each([
    `{ strategy: canary, steps: [{ weight: 5, hooks: [{ ${hook}, when: before, timeout: 20m, secret: "\${secret.key}" }] }], hooks: [{ ${hook}, when: end }] }`,
    `{ strategy: blue_green, hooks: [{ ${hook}, on_failure: hold }] }`,
    `{ strategy: rolling, hooks: [{ ${hook} }] }`,
  ])('are accepted: %s', (rollout) => {
    expect(service(rollout)).toEqual([]);
  });

  it.each([
    [`{ strategy: blue_green, hooks: [{ ${hook} }, { ${hook} }] }`, 'a name that no other hook of the list has'],
    [`{ strategy: blue_green, hooks: [{ ${hook}, when: after }] }`, 'when'],
    [`{ strategy: blue_green, hooks: [{ ${hook}, timeout: 2h }] }`, 'at most 1h'],
    [`{ strategy: blue_green, hooks: [{ ${hook}, timeout: 0s }] }`, 'at most 1h'],
    [`{ strategy: canary, steps: [{ weight: 5, hooks: [{ ${hook}, retries: 21 }] }] }`, 'from 0 to 20'],
  ])('are refused: %s', (rollout, words) => {
    expect(service(rollout)).toEqual([expect.stringContaining(words)]);
  });
});
