import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEngine } from './engine.ts';
import { engineAddress } from './engine-address.ts';
import { registryLogin } from './registry-login.ts';

const given = (header: Readonly<Record<string, string>>): unknown =>
  JSON.parse(Buffer.from(header['x-registry-auth'] ?? '', 'base64url').toString());

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-engine-'));
  await mkdir(join(folder, '.docker'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** As `docker context create` and `docker context use` write it. */
async function context(name: string, host: string | undefined): Promise<void> {
  const place = join(folder, '.docker', 'contexts', 'meta', createHash('sha256').update(name).digest('hex'));
  await mkdir(place, { recursive: true });
  const endpoint = { ...(host !== undefined && { Host: host }), SkipTLSVerify: false };
  await writeFile(join(place, 'meta.json'), JSON.stringify({ Name: name, Metadata: {}, Endpoints: { docker: endpoint } }));
}
const current = (text: string): Promise<void> => writeFile(join(folder, '.docker', 'config.json'), text);

it('finds the engine where the docker command would: by DOCKER_HOST, by DOCKER_CONTEXT, by the context in use, at the usual place', async () => {
  const find = (environment: Readonly<Record<string, string>>) => {
    const { path, by } = engineAddress({ HOME: folder, ...environment });
    return `${path} ${by}`;
  };
  const usual = '/var/run/docker.sock the usual place';
  expect(find({})).toBe(usual);
  await context('colima', 'unix:///home/me/.colima/docker.sock');
  await context('other', 'unix:///run/other.sock');
  await context('empty', undefined);
  await current('{ "currentContext": "colima" }');
  expect(find({})).toBe("/home/me/.colima/docker.sock by the Docker context 'colima'");
  expect(find({ DOCKER_CONTEXT: 'other' })).toBe("/run/other.sock by the Docker context 'other'");
  expect(find({ DOCKER_CONTEXT: 'other', DOCKER_HOST: 'unix:///run/user/1000/docker.sock' })).toBe(
    '/run/user/1000/docker.sock by DOCKER_HOST',
  );
  expect(find({ DOCKER_CONTEXT: 'default' })).toBe(usual);
  expect(find({ DOCKER_CONTEXT: 'empty' })).toBe("/var/run/docker.sock by the Docker context 'empty'");
  expect(find({ DOCKER_CONFIG: join(folder, 'nowhere') })).toBe(usual);
  await current('{ "currentContext": ');
  expect(find({})).toBe(usual);
});

it('refuses an engine that may be on another machine, and a context that is none, and says what to do', async () => {
  await context('remote', 'ssh://me@build.example.com');
  const refused = (environment: Readonly<Record<string, string>>, expected: object): void =>
    expect(() => engineAddress({ HOME: folder, ...environment })).toThrow(expect.objectContaining(expected));
  for (const elsewhere of ['tcp://127.0.0.1:2375', 'ssh://me@host', 'unix://docker.sock', 'npipe:////./pipe/docker_engine', 'http://x'])
    refused({ DOCKER_HOST: elsewhere }, { code: 'engine_address_refused', help: expect.stringContaining('DOCKER_HOST=unix:///') });
  refused(
    { DOCKER_CONTEXT: 'remote' },
    {
      message: "The container engine at ssh://me@build.example.com (by the Docker context 'remote') is not used: it is on another machine.",
    },
  );
  const missing = { code: 'docker_context_unusable', message: expect.stringContaining("'gone' that DOCKER_CONTEXT names") };
  refused({ DOCKER_CONTEXT: 'gone' }, missing);
  await context('torn', undefined);
  const torn = createHash('sha256').update('torn').digest('hex');
  await writeFile(join(folder, '.docker', 'contexts', 'meta', torn, 'meta.json'), '{ "Name": ');
  refused({ DOCKER_CONTEXT: 'torn' }, { code: 'docker_context_unusable', message: expect.stringContaining('not what Docker writes') });
});

it('speaks with the engine of the context in use, stays with it, and refuses one whose containers have a network of their own', async () => {
  const engines = ['first', 'second', 'rootless', 'desktop'].map((name) => {
    const options = { rootless: ['name=seccomp,profile=default', 'name=rootless'] }[name];
    const about = { Name: name, SecurityOptions: options, OperatingSystem: name === 'desktop' ? 'Docker Desktop' : 'Debian' };
    return { name, server: createServer((_, response) => response.end(JSON.stringify(about))).listen(join(folder, `${name}.sock`)) };
  });
  try {
    for (const { name, server } of engines) {
      if (!server.listening) await once(server, 'listening');
      await context(name, `unix://${join(folder, `${name}.sock`)}`);
    }
    await current('{ "currentContext": "first" }');
    const engine = createEngine({ HOME: folder });
    expect((await engine.call('GET', '/info')).body).toMatchObject({ Name: 'first' });
    await current('{ "currentContext": "second" }');
    expect((await engine.call('GET', '/info')).body).toMatchObject({ Name: 'first' });
    expect((await createEngine({ HOME: folder }).call('GET', '/info')).body).toMatchObject({ Name: 'second' });
    for (const [name, reason] of [
      ['rootless', 'it is rootless'],
      ['desktop', 'virtual machine'],
    ] as const) {
      const refused = createEngine({ HOME: folder, DOCKER_CONTEXT: name }).call('GET', '/info');
      await expect(refused).rejects.toMatchObject({ code: 'engine_unfit', message: expect.stringContaining(reason), retry: 'terminal' });
    }
  } finally {
    for (const { server } of engines) server.close();
  }
});

it('says what to do where no engine is', async () => {
  const engine = createEngine({ DOCKER_HOST: `unix://${join(folder, 'none.sock')}` });
  await expect(engine.call('GET', '/info')).rejects.toMatchObject({
    code: 'engine_unreachable',
    message: expect.stringContaining('nothing is there'),
    help: expect.stringContaining('DOCKER_HOST'),
  });
  await writeFile(join(folder, 'docker.sock'), '');
  const beside = createEngine({ DOCKER_HOST: `unix://${join(folder, 'none.sock')}`, XDG_RUNTIME_DIR: folder });
  await expect(beside.call('GET', '/info')).rejects.toMatchObject({
    help: expect.stringContaining(`rootless engine at ${join(folder, 'docker.sock')} does not do`),
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
