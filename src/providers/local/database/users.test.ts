import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blockOf, operationOf, providerOver, requestOf, stackOf, stateOf } from '../local-fixture.ts';
import { canPass } from '../server/server-user.ts';

const fixture = new URL('../local-fixture.ts', import.meta.url);
const nobody = { uid: 65_534, gid: 65_534 };
const isRoot = process.getuid?.() === 0;
const reachable = isRoot && (await canPass(fileURLToPath(new URL('.', fixture)), nobody)) && (await canPass(process.execPath, nobody));

/** What a control plane of an ordinary user does; prints the owner of the server's process and what is left in the home afterwards. */
const lifetime = `
  import { readdirSync, statSync } from 'node:fs';
  import { join } from 'node:path';
  import { blockOf, localFixture, operationOf, requestOf, stateOf } from '${fixture.href}';
  import { findServer } from '${new URL('./postgres-server.ts', import.meta.url).href}';
  const local = await localFixture();
  const request = requestOf(local.root, blockOf('database', { name: 'db', type: 'PostgreSQL', version: '15' }));
  const applied = await local.provider.create(request, operationOf('one'));
  const server = await findServer(join(local.home, 'databases', 'default', 'db'));
  const owner = process.platform === 'linux' ? statSync('/proc/' + server.pid).uid : process.getuid();
  const mode = statSync(local.home).mode & 0o777;
  await local.provider.delete(stateOf(request, applied), operationOf('end'));
  console.log(JSON.stringify({ owner, mode, left: readdirSync(local.home) }));
  await local.remove();
`;

async function runAs(user: { uid: number; gid: number } | undefined): Promise<unknown> {
  const parameters = ['--no-warnings', '--input-type=module', '--eval', lifetime];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, {
    cwd: tmpdir(),
    env: { PATH: '/usr/bin:/bin', TMPDIR: tmpdir() },
    timeout: 25_000,
    ...user,
  });
  return JSON.parse(stdout);
}

describe('a database of an ordinary user', () => {
  it.skipIf(isRoot && !reachable)('runs as that user, and its home stays closed', async () => {
    const uid = isRoot ? nobody.uid : process.getuid?.();
    expect(await runAs(isRoot ? nobody : undefined)).toEqual({ owner: uid, mode: 0o700, left: ['local.key'] });
  });
});

describe.skipIf(!isRoot)('a database of root, under a folder closed to others', () => {
  let closed: string;
  beforeEach(() => {
    closed = mkdtempSync(join(tmpdir(), 'sluice-closed-'));
    chmodSync(closed, 0o700);
  });
  afterEach(() => rmSync(closed, { recursive: true }));

  it('keeps its data where its server can get, says so in the plan, and leaves nothing there', async () => {
    const local = { home: join(closed, 'home'), environment: process.env };
    const provider = providerOver(local);
    const block = blockOf('database', { name: 'db', type: 'PostgreSQL', version: '15' });
    const notes = (await provider.check(stackOf(closed, [block]))).map(({ message }) => message);
    const root = /\/var\/lib\/sluice\/[0-9a-f]{12}/.exec(notes.join('\n'))?.[0] ?? '';
    const request = requestOf(closed, block);
    const applied = await provider.create(request, operationOf('one'));
    expect(existsSync(join(root, 'databases', 'default', 'db', 'data', 'PG_VERSION'))).toBe(true);
    expect(await provider.read(stateOf(request, applied))).toEqual({ status: 'present', drift: [] });
    await provider.delete(stateOf(request, applied), operationOf('end'));
    expect(existsSync(root)).toBe(false);
    expect(readdirSync(local.home)).toEqual(['local.key']);
  });
});
