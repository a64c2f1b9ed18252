import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../src/testing/conditions.ts';
import { controlPlane, expectCode, sluice, type World } from './sluice.ts';

const stack = `
environment:
  - { name: production, provider: local }
service:
  name: web
  source: web
  command: [node, server.ts]
  version: 1.0.0
  replicas: 1
  health: { path: /healthz, interval: 50ms }
  drain: 1s
  expose: { host: web.localhost }
flag:
  - name: cite
    variants: { on: true, off: false }
    default: off
    rules:
      - { when: { plan: pro }, serve: on }
      - { split: { on: 10, off: 90 }, by: user }
  - { name: fast, variants: { on: true, off: false }, default: off }
`;

/** Asks with what every instance is given, and passes on what it is told. */
const server = `
import { createServer } from 'node:http';
const { OFREP_ENDPOINT, OFREP_HEADERS, PORT, HOST } = process.env;
const headers = decodeURIComponent(OFREP_HEADERS).split(',').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);
createServer(async (request, response) => {
  if (request.url === '/healthz') return response.end('ok');
  const { 'x-plan': plan, 'x-flag': flag = 'cite', 'x-user': targetingKey = 'ann' } = request.headers;
  const body = JSON.stringify({ context: { targetingKey, plan } });
  const answer = await fetch(OFREP_ENDPOINT + '/ofrep/v1/evaluate/flags/' + flag, { method: 'POST', headers, body });
  const text = await answer.text();
  const { variant } = JSON.parse(text);
  response.setHeader('x-sluice-attributes', 'flag.' + flag + '=' + variant + ', flag-key=' + targetingKey);
  response.statusCode = flag === 'fast' && variant === 'on' ? 500 : 200;
  response.end(text);
}).listen(Number(PORT), HOST);
process.on('SIGTERM', () => process.exit(0));
`;

let world: World;
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-flags-'));
  world = { directory, home: join(directory, '.sluice') };
  await mkdir(join(directory, 'web'));
  await writeFile(join(directory, 'stack.yaml'), stack);
  await writeFile(join(directory, 'web', 'server.ts'), server);
});
afterAll(async () => {
  await sluice(world, 'down');
  await rm(world.directory, { recursive: true, force: true });
});

it('is applied, asked by an instance with its own token, killed in less than a second, shown by the plan, cleared, counted by release, and goes with its stack', async () => {
  await expectCode(0, world, 'apply', '--yes', '-e', 'production');
  const plane = await controlPlane(world);
  const { environments } = (await plane.get('/v1/status')) as { environments: { name: string; url?: string }[] };
  const url = environments.find(({ name }) => name === 'production')?.url ?? '';
  const ask = async (): Promise<{ value?: boolean; reason?: string }> => {
    const request = get(url, { agent: false, headers: { host: 'web.localhost', 'x-plan': 'pro' } });
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    return JSON.parse((await answer.toArray()).join('')) as { value?: boolean; reason?: string };
  };
  expect(await ask()).toMatchObject({ key: 'cite', value: true, reason: 'TARGETING_MATCH', metadata: { flagSetId: 'production' } });

  const killed = await expectCode(0, world, 'flag', 'kill', 'cite', '-e', 'production', '--reason', 'wrong sources');
  expect(killed.stdout).toBe('production/flag/cite serves off to everybody (killed).\n');
  // The command has ended: the very next request is answered anew.
  expect(await ask()).toMatchObject({ value: false, reason: 'DISABLED' });

  const plan = await expectCode(0, world, 'plan', '-e', 'production');
  expect(plan.stdout).toMatch(/The flag .cite. serves off to everybody \(killed\), by .* \(wrong sources\)/);
  await expectCode(0, world, 'apply', '--yes', '-e', 'production');
  expect(await ask()).toMatchObject({ value: false });

  await expectCode(0, world, 'flag', 'set', 'cite', '--clear', '-e', 'production');
  expect(await ask()).toMatchObject({ value: true });
  await expectCode(0, world, 'flag', 'set', 'cite', 'on', '--percent', '100', '-e', 'production');
  expect(await ask()).toMatchObject({ value: true, reason: 'SPLIT' });

  const [flag] = JSON.parse((await expectCode(0, world, 'flag', 'list', '-e', 'production', '--json')).stdout) as {
    usage: { evaluations: number; uses: { service: string; release: string; variant: string }[] };
  }[];
  const [{ release } = { release: '' }] = (await plane.get('/v1/environments/production/services')) as { release: string }[];
  expect(flag?.usage.evaluations).toBe(5);
  expect(new Set(flag?.usage.uses.map((use) => `${use.service}@${use.release}`))).toEqual(new Set([`web@${release}`]));
  const { items } = (await plane.get('/v1/audit')) as { items: { action: string; reason?: string }[] };
  expect(items.filter(({ action }) => action.startsWith('flag.')).map(({ action, reason }) => [action, reason])).toEqual([
    ['flag.kill', 'wrong sources'],
    ['flag.clear', undefined],
    ['flag.set', undefined],
  ]);
  expect(await plane.get('/v1/audit/verification')).toMatchObject({ ok: true });

  await expectCode(0, world, 'destroy', '--yes', '-e', 'production');
  expect(await plane.get('/v1/environments/production/flags')).toEqual([]);
  expect(await plane.get('/v1/environments/production/flags/cite/history')).toMatchObject([
    { action: 'removed' },
    { action: 'set' },
    {},
    {},
    {},
  ]);
});

it('is taken back by itself from the users it was given to, when they fare worse than the others', async () => {
  await expectCode(0, world, 'apply', '--yes', '-e', 'production');
  const plane = await controlPlane(world);
  const { environments } = (await plane.get('/v1/status')) as { environments: { name: string; url?: string }[] };
  const url = environments.find(({ name }) => name === 'production')?.url ?? '';
  const ask = async (user: number): Promise<number | undefined> => {
    const headers = { host: 'web.localhost', 'x-flag': 'fast', 'x-user': `user-${user}` };
    const [answer] = (await once(get(url, { agent: false, headers }), 'response')) as [IncomingMessage];
    await answer.toArray();
    return answer.statusCode;
  };
  const options = ['--service', 'web', '--steps', '20', '--for', '1m', '--notice', '1s', '--minimum', '50', '-e', 'production'];
  expect((await expectCode(64, world, 'flag', 'rollout', 'fast', 'on', '--steps', '200')).stderr).toContain('--service');
  expect((await expectCode(1, world, 'flag', 'rollout', 'cite', 'on', ...options)).stderr).toContain('its rules serve on to some already');
  const begun = await expectCode(0, world, 'flag', 'rollout', 'fast', 'on', ...options);
  expect(begun.stdout).toMatch(/^production\/flag\/fast: on to 20 % of the users of web \(step 1 of 2; begun by local\)\n/);
  let users = 0;
  const read = async () => (await plane.get('/v1/environments/production/flags/fast/rollout')) as { outcome?: string; evidence: string[] };
  const end = await until('the end of the rollout', async () => {
    await Promise.all(Array.from({ length: 20 }, () => ask((users += 1))));
    const view = await read();
    return view.outcome !== undefined && view;
  });
  expect(end).toMatchObject({ outcome: 'failed', percent: 0 });
  expect(end.evidence[0]).toMatch(/^errors .*x of the others \(95%, always valid\), .*\d+ variant users$/);
  await until('everybody to be served the default again', async () => (await ask(1)) === 200 && (await ask(2)) === 200);
  expect(await plane.get('/v1/environments/production/flags/fast/history?limit=2')).toMatchObject([
    { action: 'cleared', by: 'flag rollout', reason: expect.stringContaining('errors got worse') },
    { action: 'set', by: 'local', serves: 'on to 20 % by user, off to the others' },
  ]);
  console.log(`The variant with errors was taken back after ${users} users`);
});
