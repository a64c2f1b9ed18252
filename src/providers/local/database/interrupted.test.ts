import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../effects/ports.ts';
import type { CreateRequest, Operation } from '../../provider.ts';
import { blockOf, type LocalFixture, localFixture, operationOf, providerOver, requestOf, stateOf } from '../local-fixture.ts';
import { dataFolder } from './cluster.ts';
import { findServer } from './postgres-server.ts';

/** An operation that is aborted when it reports progress for the `count`th time. */
function abortedAt(id: string, count: number): Operation {
  const aborting = new AbortController();
  let reports = 0;
  const progress = (): void => {
    reports += 1;
    if (reports === count) aborting.abort(new Error('cut short'));
  };
  return { id, signal: aborting.signal, progress };
}

describe('the creation of a database that is cut short', () => {
  let local: LocalFixture;
  let folder: string;
  let request: CreateRequest;
  beforeEach(async () => {
    local = await localFixture();
    folder = join(local.home, 'databases', 'default', 'db');
    request = requestOf(local.root, blockOf('database', { name: 'db', type: 'PostgreSQL', version: '15' }));
  });
  afterEach(async () => {
    await local.provider.delete(stateOf(request, { id: '', outputs: {} }), operationOf('end'));
    await local.remove();
  });

  it('while the data is initialised is redone from the beginning', async () => {
    await expect(local.provider.create(request, abortedAt('one', 1))).rejects.toMatchObject({ code: 'local_failure', retry: 'retry' });
    // As a control plane that was killed in the middle of it leaves them.
    renameSync(dataFolder(folder), join(folder, 'attempt-of-old'));
    writeFileSync(join(folder, 'attempt-of-old.password'), 'secret');
    const applied = await providerOver(local).create(request, operationOf('one'));
    expect(await local.provider.read(stateOf(request, applied))).toEqual({ status: 'present', drift: [] });
    expect(readdirSync(folder).toSorted()).toEqual(['archive', 'data', 'server.log']);
  });

  it('while the server starts is completed around that server', async () => {
    await expect(local.provider.create(request, abortedAt('one', 2))).rejects.toMatchObject({ code: 'local_failure', retry: 'retry' });
    const applied = await providerOver(local).create(request, operationOf('one'));
    const server = await findServer(folder);
    expect(await providerOver(local).create(request, operationOf('one'))).toEqual(applied);
    expect(await findServer(folder)).toEqual(server);
  });

  it('by a cancel is finished first, and by the loss of the right to write is not', async () => {
    const lost = new AbortController();
    lost.abort(new Error('lost'));
    await expect(local.provider.create(request, { ...abortedAt('one', 1), lost: lost.signal })).rejects.toThrow('lost');
    const applied = await local.provider.create(request, { ...abortedAt('one', 1), lost: new AbortController().signal });
    expect(await local.provider.read(stateOf(request, applied))).toEqual({ status: 'present', drift: [] });
  });

  it('can be deleted all the same', async () => {
    await expect(local.provider.create(request, abortedAt('one', 2))).rejects.toMatchObject({ code: 'local_failure' });
    await local.provider.delete(stateOf(request, { id: '', outputs: {} }), operationOf('end'));
    expect(await findServer(folder)).toBeUndefined();
    expect(readdirSync(local.home)).toEqual(['local.key']);
  });

  it('by a program on the chosen port goes on with another port', async () => {
    await expect(local.provider.create(request, abortedAt('one', 1))).rejects.toThrow('cut short');
    const { details } = JSON.parse(readFileSync(join(local.home, 'local', 'default', 'database', 'db.json'), 'utf8')) as {
      details: { port: number };
    };
    const squatter = createServer().listen(await freePort('127.0.0.1', details.port), '127.0.0.1');
    const applied = await local.provider.create(request, operationOf('one'));
    expect(applied.outputs['port']?.value).not.toBe(details.port);
    await new Promise((resolve) => squatter.close(resolve));
  });

  it('is refused over data that this home knows nothing of, which stays as it is', async () => {
    mkdirSync(dataFolder(folder), { recursive: true });
    writeFileSync(join(dataFolder(folder), 'PG_VERSION'), '15\n');
    await expect(local.provider.create(request, operationOf('one'))).rejects.toMatchObject({
      code: 'database_data_in_the_way',
      retry: 'terminal',
    });
    expect(readdirSync(dataFolder(folder))).toEqual(['PG_VERSION']);
  });
});
