import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestAuthority, type TestAuthority } from '../src/gateway/tls/testing/authority.ts';
import { until } from '../src/testing/conditions.ts';
import { describeWith } from '../src/testing/requires.ts';
import { controlPlane, expectCode, type World } from './sluice.ts';

const run = promisify(execFile);

const server = `
import { createServer } from 'node:http';
createServer((request, response) => {
  response.end(JSON.stringify({ proto: request.headers['x-forwarded-proto'], http: request.httpVersion }));
}).listen(Number(process.env.PORT), process.env.HOST);
process.on('SIGTERM', () => process.exit(0));
`;

const stack = `
environment:
  name: production
  gateway:
    tls:
      certificates:
        - { certificate: tls/echo.pem, key: tls/echo.key }
        - { certificate: tls/shop.pem, key: '\${secret.shop-key}' }
secret:
  name: shop-key
  value: { file: tls/shop.key }
service:
  - { name: echo, source: echo, command: [node, server.js], version: 1.0.0, health: { path: /, interval: 100ms }, expose: { host: echo.test } }
  - { name: shop, source: echo, command: [node, server.js], version: 1.0.0, health: { path: /, interval: 100ms }, expose: { host: shop.test } }
`;

describeWith('curl', 'a stack with HTTPS', () => {
  let world: World;
  let authority: TestAuthority;
  let url: URL;

  const curl = async (host: string, ...options: string[]): Promise<string> => {
    const name = ['--resolve', `${host}:${url.port}:127.0.0.1`, '--cacert', authority.caFile];
    const output = ['-s', '-S', '-w', ' %{http_code} %{http_version}'];
    return (await run('curl', [...output, ...name, ...options, `https://${host}:${url.port}/`])).stdout;
  };
  const serialNow = (host: string): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port: Number(url.port), host: '127.0.0.1', servername: host, ca: authority.ca });
      socket.once('secureConnect', () => {
        resolve(socket.getPeerX509Certificate()?.serialNumber);
        socket.destroy();
      });
      socket.once('error', reject);
    });

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-https-'));
    world = { directory, home: join(directory, '.sluice') };
    authority = await createTestAuthority(join(directory, 'tls'));
    await authority.issue('echo', ['echo.test']);
    await authority.issue('shop', ['shop.test']);
    await mkdir(join(directory, 'echo'));
    await writeFile(join(directory, 'echo', 'package.json'), '{ "type": "module" }');
    await writeFile(join(directory, 'echo', 'server.js'), server);
    await writeFile(join(directory, 'stack.yaml'), stack);
  });
  afterAll(async () => {
    await expectCode(0, world, 'down');
    await rm(world.directory, { recursive: true, force: true });
  });

  it('is applied, and names its services by their https URLs', async () => {
    const { stdout } = await expectCode(0, world, 'up', '--detach', '--yes');
    expect(stdout).toMatch(/https:\/\/echo\.test:\d+/);
    const status = (await (await controlPlane(world)).get('/v1/status')) as { environments: { url: string }[] };
    url = new URL(status.environments[0]?.url ?? '');
    expect(url.protocol).toBe('https:');
    expect((await expectCode(0, world, 'plan')).stdout).toMatch(/no changes|nothing to/i);
  });

  it('answers over HTTP/2 and over HTTP/1.1, each host with its own certificate', async () => {
    const body = '{"proto":"https","http":"1.1"}';
    expect(await curl('echo.test', '--http2')).toBe(`${body} 200 2`);
    expect(await curl('shop.test', '--http2')).toBe(`${body} 200 2`);
    expect(await curl('echo.test', '--http1.1')).toBe(`${body} 200 1.1`);
  });

  it('sends plain requests on to HTTPS', async () => {
    const services = await (await controlPlane(world)).get('/v1/environments/production/services').catch(() => undefined);
    expect(JSON.stringify(services ?? '')).not.toContain('http://echo.test');
    const table = JSON.parse(await readFile(join(world.home, 'gateway', 'table.json'), 'utf8')) as unknown;
    const plain = /"port":(\d+),"tls"/.exec(JSON.stringify(table))?.[1];
    const { stdout } = await run('curl', [
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code} %{redirect_url}',
      '-H',
      'host: echo.test',
      `http://127.0.0.1:${plain}/a?b=c`,
    ]);
    expect(stdout).toBe(`308 https://echo.test:${url.port}/a?b=c`);
  });

  it('takes up a certificate that is replaced, without losing a request', async () => {
    const before = await serialNow('echo.test');
    const failures: string[] = [];
    let answered = 0;
    const ended = new AbortController();
    const load = Promise.all(
      Array.from({ length: 3 }, async () => {
        while (!ended.signal.aborted) {
          const answer = await curl('echo.test', '--http2').catch((error: unknown) => String(error));
          if (answer.endsWith('200 2')) answered += 1;
          else failures.push(answer);
        }
      }),
    );
    const renewed = await authority.issue('renewed', ['echo.test']);
    await copyFile(renewed.keyFile, join(world.directory, 'tls', 'echo.key'));
    await copyFile(renewed.certificateFile, join(world.directory, 'tls', 'echo.pem'));
    const wanted = new X509Certificate(await readFile(renewed.certificateFile)).serialNumber;
    await until('the new certificate everywhere', async () => {
      const seen = await Promise.all(Array.from({ length: 6 }, () => serialNow('echo.test')));
      return seen.every((serial) => serial === wanted);
    });
    ended.abort();
    await load;
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(0);
    expect(before).not.toBe(wanted);
  });

  it('keeps a key that is a secret in no file but the one of the gateway, and that for its owner alone', async () => {
    const key = await readFile(join(world.directory, 'tls', 'shop.key'), 'utf8');
    const canary = key.split('\n')[1] ?? '';
    expect(canary.length).toBeGreaterThan(40);
    const holding: string[] = [];
    for (const entry of await readdir(world.home, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && (await readFile(path)).includes(canary)) holding.push(path);
    }
    expect(holding).toHaveLength(1);
    expect(holding[0]).toContain(join('gateway', 'keys', 'production.'));
    expect((await stat(holding[0] ?? '')).mode & 0o777).toBe(0o600);
    const api = await controlPlane(world);
    const shown = await Promise.all(['/v1/status', '/v1/openapi.json'].map((path) => api.get(path).catch(() => '')));
    expect(JSON.stringify(shown)).not.toContain(canary);
  });

  it('refuses a certificate that does not fit its key, with its place, before anything is changed', async () => {
    const [file, kept] = [join(world.directory, 'tls', 'echo.key'), join(world.directory, 'tls', 'kept.key')];
    await copyFile(file, kept);
    await copyFile(join(world.directory, 'tls', 'shop.key'), file);
    const { stdout, stderr } = await expectCode(1, world, 'plan');
    expect(stdout + stderr).toMatch(/stack\.yaml:7:\d+.*tls_certificate_invalid/s);
    await copyFile(kept, file);
  });

  it('goes back to plain HTTP when the stack does', async () => {
    await writeFile(join(world.directory, 'stack.yaml'), stack.replace(/ {2}gateway:[^]*?secret:/, 'secret:'));
    await expectCode(0, world, 'apply', '--yes');
    const status = (await (await controlPlane(world)).get('/v1/status')) as { environments: { url: string }[] };
    expect(status.environments[0]?.url).toMatch(/^http:/);
    await expect(curl('echo.test')).rejects.toThrow('Failed to connect');
    expect(await readdir(join(world.home, 'gateway', 'keys'))).toEqual([]);
  });
});
