import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEngine } from './engine.ts';
import { engineAddress } from './engine-address.ts';
import { registryLogin } from './registry-login.ts';

const addressOf = (text?: string) => engineAddress({ DOCKER_HOST: text });
const given = (header: Readonly<Record<string, string>>): unknown =>
  JSON.parse(Buffer.from(header['x-registry-auth'] ?? '', 'base64url').toString());

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-engine-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('finds the engine on this machine and nowhere else', () => {
  expect(addressOf()).toMatchObject({ type: 'socket', path: '/var/run/docker.sock' });
  expect(addressOf('unix:///run/user/1000/docker.sock')).toMatchObject({ path: '/run/user/1000/docker.sock' });
  expect(addressOf('tcp://127.0.0.1:2375')).toMatchObject({ type: 'tcp', host: '127.0.0.1', port: 2375 });
  for (const elsewhere of [
    'tcp://10.1.1.1:2375',
    'tcp://127.0.0.1.example.com:1',
    'ssh://me@host',
    'unix://docker.sock',
    'tcp://127.0.0.1',
  ])
    expect(() => addressOf(elsewhere)).toThrow(expect.objectContaining({ code: 'engine_address_refused' }));
});

it('says what to do where no engine is', async () => {
  const engine = createEngine({ DOCKER_HOST: `unix://${join(folder, 'none.sock')}` });
  await expect(engine.call('GET', '/info')).rejects.toMatchObject({
    code: 'engine_unreachable',
    message: expect.stringContaining('nothing is there'),
    help: expect.stringContaining('DOCKER_HOST'),
  });
});

it('logs in as the Docker command does, by a helper too, and never tells the secret', async () => {
  const environment = { DOCKER_CONFIG: folder, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
  const configure = (value: object): Promise<void> => writeFile(join(folder, 'config.json'), JSON.stringify(value));
  const helper = async (script: string): Promise<void> => {
    await writeFile(join(folder, 'docker-credential-test'), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, 'docker-credential-test'), 0o755);
  };
  expect(await registryLogin('a.example', environment)).toEqual({});
  await configure({ auths: { 'https://index.docker.io/v1/': { auth: Buffer.from('me:p:w').toString('base64') } } });
  expect(given(await registryLogin('docker.io', environment))).toMatchObject({ username: 'me', password: 'p:w' });
  await configure({ credHelpers: { 'a.example': 'test' } });
  await helper('read server; echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"of $server\\"}"');
  expect(given(await registryLogin('a.example', environment))).toMatchObject({ identitytoken: 'of a.example' });
  await helper('echo "credentials not found in native keychain"; exit 1');
  expect(await registryLogin('a.example', environment)).toEqual({});
  await helper('echo canary-secret; exit 1');
  const failure: unknown = await registryLogin('a.example', environment).catch((error: unknown) => error);
  expect([failure, String(failure).includes('canary')]).toEqual([expect.objectContaining({ code: 'registry_login_unusable' }), false]);
});
