import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../digest/json.ts';
import {
  blockOf,
  type LocalFixture,
  localFixture,
  operationOf,
  providerOver,
  requestOf,
  stackOf,
  stateOf,
  textsOf,
  updateOf,
} from '../local-fixture.ts';

const canary = 'canary-7f3a-value';

const blockWith = (value: JsonObject) => blockOf('secret', { name: 'key', value });

describe('a secret', () => {
  let local: LocalFixture;
  beforeEach(async () => {
    local = await localFixture({ API_KEY: canary });
  });
  afterEach(async () => {
    await local.remove();
  });

  const check = (value: JsonObject) => local.provider.check(stackOf(local.root, [blockWith(value)]));
  const fingerprint = (value: JsonObject) => local.provider.fingerprint(blockWith(value), stackOf(local.root, [blockWith(value)]));
  const create = async (value: JsonObject, operation = 'one') => {
    const request = requestOf(local.root, blockWith(value));
    const applied = await local.provider.create(request, operationOf(operation));
    return { request, applied, value: applied.outputs['value']?.value };
  };

  it('is read from the environment of the control plane', async () => {
    expect(await check({ env: 'API_KEY' })).toEqual([]);
    expect((await create({ env: 'API_KEY' })).applied.outputs).toEqual({ value: { value: canary, secret: true } });
  });

  it('that is missing from the environment stops the plan with the name of the variable', async () => {
    expect(await check({ env: 'NOT_THERE' })).toMatchObject([{ severity: 'error', code: 'secret_variable_missing' }]);
    expect((await check({ env: 'NOT_THERE' }))[0]?.message).toContain('NOT_THERE');
    expect(await fingerprint({ env: 'NOT_THERE' })).toEqual({});
    await expect(create({ env: 'NOT_THERE' })).rejects.toMatchObject({ code: 'secret_variable_missing', retry: 'terminal' });
  });

  it('that is optional and missing is empty, and the plan says so', async () => {
    expect(await check({ env: 'NOT_THERE', optional: true })).toMatchObject([{ severity: 'note' }]);
    expect((await create({ env: 'NOT_THERE', optional: true })).value).toBe('');
  });

  it('is read from a file of the stack, without the newline at its end', async () => {
    writeFileSync(join(local.root, 'key.txt'), `${canary}\n`);
    expect(await check({ file: 'key.txt' })).toEqual([]);
    expect((await create({ file: 'key.txt' })).value).toBe(canary);
  });

  it('shows a changed value as changed content, by a digest that tells nothing without the key of the home', async () => {
    const before = await fingerprint({ env: 'API_KEY' });
    expect(await providerOver(local).fingerprint(blockWith({ env: 'API_KEY' }), stackOf(local.root, []))).toEqual(before);
    local.environment['API_KEY'] = 'another';
    const after = await fingerprint({ env: 'API_KEY' });
    expect(after).not.toEqual(before);
    const other = await localFixture({ API_KEY: canary });
    expect(await other.provider.fingerprint(blockWith({ env: 'API_KEY' }), stackOf(local.root, []))).not.toEqual(before);
    await other.remove();
  });

  it.each([
    ['outside', '../outside.txt', 'lies outside'],
    ['a link to outside', 'link', 'lies outside'],
    ['missing', 'missing.txt', 'no such file'],
    ['a folder', 'folder', 'not a file'],
    ['too large', 'large', '64 KiB'],
    ['not text', 'binary', 'not UTF-8'],
  ])('from a file that is %s stops the plan', async (_, file, reason) => {
    mkdirSync(join(local.root, 'folder'));
    symlinkSync('/etc/hostname', join(local.root, 'link'));
    writeFileSync(join(local.root, 'large'), 'x'.repeat(64 * 1024 + 1));
    writeFileSync(join(local.root, 'binary'), Buffer.from([0xff, 0xfe, 0xfd]));
    const [problem] = await check({ file });
    expect(problem).toMatchObject({ severity: 'error', code: 'secret_file_unusable', address: 'default/secret/key' });
    expect(problem?.message).toContain(reason);
    expect(await fingerprint({ file })).toEqual({});
  });

  it('is generated once and stays the same through repetition, update and a new control plane', async () => {
    const { request, applied, value } = await create({ generated: { length: 48 } });
    expect(value).toMatch(/^[A-Za-z0-9]{48}$/);
    expect(await fingerprint({ generated: { length: 48 } })).toEqual({});
    expect(await providerOver(local).create(request, operationOf('one'))).toEqual(applied);
    expect(await providerOver(local).update(updateOf(request, applied), operationOf('two'))).toEqual(applied);
  });

  it('is generated with another value when it is made anew', async () => {
    const first = await create({ generated: { length: 32 } });
    await local.provider.delete(stateOf(first.request, first.applied), operationOf('end'));
    expect((await create({ generated: { length: 32 } }, 'later')).value).not.toBe(first.value);
  });

  it('is not supported yet in encrypted form', async () => {
    expect(await check({ encrypted: 'age' })).toMatchObject([{ severity: 'error', code: 'unsupported_field' }]);
  });

  it('never reaches a file of the home', async () => {
    const { request, applied } = await create({ env: 'API_KEY' });
    const generated = await local.provider.create(
      requestOf(local.root, blockOf('secret', { name: 'made', value: { generated: { length: 32 } } })),
      operationOf('two'),
    );
    const values = [canary, textsOf(generated)['value']];
    const files = readdirSync(local.home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name).toSorted()).toEqual(['key.json', 'local.key', 'made.json']);
    for (const { parentPath, name } of files) {
      for (const value of values) expect(readFileSync(join(parentPath, name), 'latin1')).not.toContain(value);
    }
    await local.provider.delete(stateOf(request, applied), operationOf('end'));
    expect(await local.provider.read(stateOf(request, applied))).toEqual({ status: 'absent' });
  });
});
