import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadStack, loadStackText } from './load.ts';
import { largestFile } from './source/limits.ts';

/** Part of every Unix; Node has no call for it. */
const pipeMaker = 'mkfifo';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-hostile-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Milliseconds of this process's own work: what other processes take meanwhile is not the loader's doing. */
async function cpuTime(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const fill = (part: string, bytes = largestFile) => part.repeat(Math.floor(bytes / part.length));
const numbered = (count: number, line: (index: number) => string) => Array.from({ length: count }, (_, index) => line(index)).join('');

const bomb = `a: &a0 [x, x, x, x, x, x, x, x, x]\n${numbered(30, (i) => `b${i}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]\n`)}`;
const tower = `a: &a0 ${'['.repeat(90)}${']'.repeat(90)}\n${numbered(100, (i) => `b${i}: &a${i + 1} ${'['.repeat(50)}*a${i}${']'.repeat(50)}\n`)}`;
const services = (count: number, field: (index: number) => string) =>
  `service:\n${numbered(count, (i) => `  - { name: s${i}, source: a, command: [a], version: 1.0.0, ${field(i)} }\n`)}`;

describe('a hostile text gets a clear error in under a second', () => {
  it.each([
    ['an alias bomb', bomb, 'yaml_too_big'],
    ['a tower of aliases', tower, 'yaml_too_deep'],
    ['10,000 levels of brackets', '['.repeat(10_000), 'yaml_too_deep'],
    ['10,000 levels of braces', '{a: '.repeat(10_000), 'yaml_too_deep'],
    ['10,000 levels of dashes', '- '.repeat(10_000), 'yaml_too_deep'],
    ['10,000 levels of indentation', numbered(2000, (i) => `${' '.repeat(i)}a:\n`), 'yaml_too_deep'],
    ['2 MiB of brackets', fill('['), 'yaml_too_deep'],
    ['2 MiB of pairs', fill('a: b\n'), 'yaml_too_big'],
    ['2 MiB of commas', `[${fill(',')}`, 'yaml_too_big'],
    ['2 MiB of anchors', fill('&a '), 'yaml_too_big'],
    ['2 MiB of comments', fill('#\n'), 'yaml_too_big'],
    ['2 MiB of documents', fill('---\n'), 'yaml_many_documents'],
    ['2 MiB of closing brackets', fill('}\n'), 'yaml_invalid'],
    ['2 MiB of empty maps', fill('{}'), 'yaml_invalid'],
    ['2 MiB of an open quote', `a: "${fill('x\n ')}`, 'yaml_invalid'],
    ['one key of a megabyte', `${'x'.repeat(1_000_000)}: 1`, 'yaml_invalid'],
    ['20,000 keys that are the same', fill('a: b\n', 100_000), 'duplicate_key'],
    ['20,000 unknown kinds', numbered(20_000, (i) => `k${i}: 1\n`), 'unknown_kind'],
    ['20,000 unknown fields', `service:\n  name: a\n${numbered(20_000, (i) => `  k${i}: 1\n`)}`, 'unknown_field'],
    ['900,000 interpolations that do not end', `service: { name: a, source: "${'${'.repeat(900_000)}" }`, 'malformed_interpolation'],
    ['3,000 references that are nearly right', services(3000, (i) => `calls: [servise-${i}]`), 'unknown_reference'],
    ['a circle of 3,000 services', services(3000, (i) => `env: { A: "\${service.s${(i + 1) % 3000}.url}" }`), 'reference_cycle'],
    [
      '4,000 machines of one address',
      `virtual_machine:\n${numbered(4000, (i) => `  - { name: v${i}, size: a, image: a, network_interface: { private_ip: 10.0.0.1 } }\n`)}`,
      'address_taken',
    ],
    [
      '5,000 subnets of one range',
      `network: { name: n, address_space: 10.0.0.0/8, subnets: [${numbered(5000, (i) => `{ name: s${i}, address_prefix: 10.0.0.0/24 },`)}] }`,
      'subnets_overlap',
    ],
    ['a NUL byte', 'a: b\n\0', 'text_not_printable'],
    ['a key into the prototype', '__proto__: { name: a }', 'forbidden_key'],
  ])('%s', async (_, text, code) => {
    let problems: ReturnType<typeof loadStackText>['problems'] = [];
    const took = await cpuTime(() => {
      ({ problems } = loadStackText(text));
    });
    expect(problems.map((problem) => problem.code)).toContain(code);
    expect(problems.every(({ position }) => position !== undefined)).toBe(true);
    expect(problems.length).toBeLessThanOrEqual(101);
    expect(took).toBeLessThan(1500);
  });
});

const file = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

async function refused(path: string): Promise<string> {
  let codes: readonly string[] = [];
  const took = await cpuTime(async () => {
    const loaded = await loadStack(path);
    expect(loaded.problems.every(({ position }) => position !== undefined)).toBe(true);
    codes = loaded.problems.map(({ code }) => code);
  });
  expect(took).toBeLessThan(1000);
  return codes.join();
}

describe('a hostile file gets a clear error in under a second', () => {
  it('50 MB', async () => {
    const path = file('large.yaml', 'a: b');
    truncateSync(path, 50_000_000);
    expect(await refused(path)).toBe('stack_too_large');
  });

  it('bytes that are no UTF-8, with their place', async () => {
    const loaded = await loadStack(file('latin.yaml', Buffer.from([...Buffer.from('a: 1\nb: é caf'), 0xe9, 0x0a])));
    expect(loaded.problems).toMatchObject([{ code: 'text_not_utf8', position: { line: 2, column: 9 } }]);
  });

  it('a file cut inside a character', async () => {
    expect(await refused(file('cut.yaml', Buffer.from([0x61, 0xc3])))).toBe('text_not_utf8');
  });

  it('a device without end', async () => {
    expect(await refused('/dev/zero')).toBe('stack_not_a_file');
  });

  it('a named pipe that nobody writes to', async () => {
    const path = join(folder, 'pipe.yaml');
    execFileSync(pipeMaker, [path]);
    expect(await refused(path)).toBe('stack_not_a_file');
  });

  it('links in a circle', async () => {
    const path = join(folder, 'circle.yaml');
    symlinkSync(path, path);
    expect(await refused(path)).toBe('stack_unreadable');
  });

  it('nothing, and a folder without YAML', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    expect(await refused(join(folder, 'nothing.yaml'))).toBe('stack_not_found');
    expect(await refused(empty)).toBe('stack_not_found');
  });

  it('paths that leave the folder through a link', async () => {
    const inside = join(folder, 'inside');
    mkdirSync(inside);
    symlinkSync('/etc', join(inside, 'etc'));
    writeFileSync(join(inside, 'stack.yaml'), 'service: { name: a, source: etc, command: [a], version: 1.0.0, policy: ./etc/passwd }');
    expect(await refused(inside)).toBe('path_outside_stack,path_outside_stack');
  });
});
