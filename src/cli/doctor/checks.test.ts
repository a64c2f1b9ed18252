import { once } from 'node:events';
import { createServer } from 'node:http';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testdata/temporary-folder.ts';
import { examine } from './checks.ts';
import type { Finding } from './finding.ts';
import { thisMachine, type Machine } from './machine.ts';

async function find(name: string, machine: Partial<Machine>): Promise<Finding> {
  const folder = machine.home ?? (await temporaryFolder());
  const bare = { ...thisMachine(folder, folder), searchPath: '', firstLineOf: () => Promise.resolve(undefined) };
  const finding = (await examine({ ...bare, ...machine })).find((candidate) => candidate.name === name);
  if (finding === undefined) throw new Error(`nothing was found out about ${name}`);
  return finding;
}

describe('doctor', () => {
  it('wants a Node that runs the sources', async () => {
    expect(await find('Node', { nodeVersion: '24.1.0' })).toMatchObject({ state: 'ok', remedy: [] });
    expect(await find('Node', { nodeVersion: '22.18.0' })).toMatchObject({ state: 'ok' });
    expect(await find('Node', { nodeVersion: '22.9.0' })).toMatchObject({ state: 'missing', remedy: ['npm install node@24'] });
  });

  it('says what a missing program is needed for and how to get it on this system', async () => {
    const wanted = { state: 'limited', neededFor: 'cache blocks' };
    expect(await find('Redis or Valkey', { platform: 'linux' })).toMatchObject({ ...wanted, remedy: ['sudo apt install redis-server'] });
    expect(await find('Redis or Valkey', { platform: 'darwin' })).toMatchObject({ ...wanted, remedy: ['brew install redis'] });
  });

  it('names the PostgreSQL versions the provider would use', async () => {
    const folder = await temporaryFolder();
    const finding = await find('PostgreSQL', { home: folder, root: folder });
    expect(finding.found).toMatch(/^(none|\d+(\.\d+)?)/);
    expect(finding.remedy).toHaveLength(finding.found === 'none' ? 1 : 0);
  });

  it('asks the container engine for its version, and says how to get one', async () => {
    const socket = join(await temporaryFolder(), 'docker.sock');
    const lacking = await find('Docker', { environment: { DOCKER_HOST: `unix://${socket}` } });
    expect(lacking).toMatchObject({
      state: 'limited',
      found: expect.stringContaining(socket),
      remedy: [expect.stringContaining('apt install')],
    });
    const engine = createServer((_, response) => response.end(JSON.stringify({ Version: '20.10.24' }))).listen(socket);
    await once(engine, 'listening');
    expect(await find('Docker', { environment: { DOCKER_HOST: `unix://${socket}` } })).toMatchObject({
      state: 'ok',
      found: `20.10.24 at unix://${socket} (by DOCKER_HOST)`,
    });
    engine.close();
    expect(await find('Docker', { environment: { DOCKER_HOST: 'tcp://192.0.2.1:2375' } })).toMatchObject({ state: 'limited' });
  });

  it('looks at who can read the home', async () => {
    const home = await temporaryFolder();
    await chmod(home, 0o700);
    expect(await find('SLUICE_HOME', { home })).toMatchObject({ state: 'ok' });
    await chmod(home, 0o755);
    expect(await find('SLUICE_HOME', { home })).toMatchObject({ state: 'limited', remedy: [`chmod 700 ${home}`] });
    await mkdir(join(home, 'sub'));
    await writeFile(join(home, 'sub', 'file'), '');
    expect(await find('SLUICE_HOME', { home: join(home, 'sub', 'file') })).toMatchObject({ state: 'missing' });
    expect((await find('SLUICE_HOME', { home: join(home, 'not-yet') })).found).toContain('not there yet');
  });

  it('runs a program without a shell and takes its first line, or nothing when it fails', async () => {
    const { firstLineOf } = thisMachine('/', '/');
    expect(await firstLineOf(process.execPath, '--version')).toBe(process.version);
    expect(await firstLineOf('no-such-program', '; echo x')).toBeUndefined();
    expect(await firstLineOf(process.execPath, '-e', 'process.exit(3)')).toBeUndefined();
  });
});
