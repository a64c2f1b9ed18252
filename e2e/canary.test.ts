import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpoints } from '../src/api/endpoints.ts';
import type { Endpoint } from '../src/api/endpoint.ts';
import { filesBelow, filesContaining } from './leftovers.ts';
import { expectCode, sluice, type World } from './sluice.ts';

const planted = {
  env: 'canary-env-71c2d9',
  file: 'canary-file-0b8e44',
  rotated: 'canary-file-rotated-5a',
  later: 'canary-env-of-a-later-shell-9c',
};

/** A variable no secret names. */
const unnamed = 'canary-nobody-asked-for-1b';

const stack = `
secret:
  - { name: from-env, value: { env: CANARY } }
  - { name: from-file, value: { file: key.txt } }
  - { name: generated, value: { generated: { length: 32 } } }
database: { name: db, type: PostgreSQL, version: "15", sku: Burstable_1_vCPU, storage_gb: 10, backup_retention_days: 1 }
service:
`;
const service = (name: string, program: string): string => `  - name: ${name}
    source: web
    command: [node, ${program}]
    version: 1.0.0
    replicas: 1
    env: { A: "\${secret.from-env}", B: "b-\${secret.from-file}", C: "\${secret.generated}", URL: "\${database.db.url}" }
    health: { path: /, interval: 50ms }
    drain: 1s
    expose: { host: ${name}.localhost }
`;
const server = `
import { createServer } from 'node:http';
const { A, B, C, URL } = process.env;
console.log('I was given', A, B, C, URL);
createServer((request, response) => response.end(JSON.stringify({ A, B, C, URL }))).listen(Number(process.env.PORT), process.env.HOST);
process.on('SIGTERM', () => process.exit(0));
`;
const failing = `console.error('cannot connect', process.env.URL, process.env.A); process.exit(1);`;

describe('planted secrets: what other tools keep in plain in state, backups, plans and logs', () => {
  let world: World;
  let values: readonly string[];
  const said: string[] = [];

  const run = async (code: number, ...line: readonly string[]): Promise<string> => {
    const outcome = await expectCode(code, world, ...line);
    said.push(`${line.join(' ')}\n${outcome.stdout}\n${outcome.stderr}`);
    return outcome.stdout;
  };

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-canary-'));
    // Servers that drop root may pass, so that their data stands below the home and goes with it.
    await chmod(directory, 0o755);
    world = { directory, home: join(directory, '.sluice'), environment: { CANARY: planted.env, SLUICE_DRIFT_INTERVAL: '1s' } };
    await mkdir(join(directory, 'web'));
    await writeFile(join(directory, 'web', 'server.mjs'), server);
    await writeFile(join(directory, 'web', 'broken.mjs'), failing);
    await writeFile(join(directory, 'key.txt'), `${planted.file}\n`);
    await writeFile(join(directory, 'stack.yaml'), stack + service('web', 'server.mjs'));
    await run(2, 'plan');
    await run(0, 'apply', '--yes', '--reason', 'canary');
    values = [...Object.values(planted), ...(await givenToTheService())];
  }, 120_000);
  afterAll(async () => {
    await sluice(world, 'destroy', '--yes');
    await sluice(world, 'down');
    await rm(world.directory, { recursive: true, force: true });
  });

  /** The generated secret and the database's URL and password, as the service got them. */
  async function givenToTheService(): Promise<readonly string[]> {
    const { address, port } = await instance();
    const given = (await (await fetch(`http://${address}:${port}/`)).json()) as Record<'A' | 'B' | 'C' | 'URL', string>;
    expect([given.A, given.B]).toEqual([planted.env, `b-${planted.file}`]);
    const { password } = new URL(given.URL);
    expect([given.C.length, password.length]).toEqual([32, 32]);
    return [given.C, given.URL, password];
  }

  async function instance(): Promise<{ address: string; port: number }> {
    const [only] = ((await answer('GET', '/v1/environments/default/services/web')) as { instances: { host: string; port: number }[] })
      .instances;
    return { address: only?.host ?? '', port: only?.port ?? 0 };
  }

  async function answer(method: string, path: string): Promise<unknown> {
    const { url } = JSON.parse(await readFile(join(world.home, 'control-plane.json'), 'utf8')) as { url: string };
    const key = (await readFile(join(world.home, 'admin.key'), 'utf8')).trim();
    const response = await fetch(`${url}${path}`, { method, headers: { authorization: `Bearer ${key}` } });
    const text = await response.text();
    said.push(`${method} ${path}\n${text}`);
    return response.headers.get('content-type')?.includes('json') === true ? JSON.parse(text) : text;
  }

  it('reach whom they are for, and are nowhere in plans, answers, errors, events, logs, arguments or files', async () => {
    // A later shell has another value: it is seen, for what the secrets of the stack name and for nothing else.
    world = { ...world, environment: { ...world.environment, CANARY: planted.later, UNNAMED: unnamed } };
    await run(2, 'plan');
    // A rotation, a failing service that shouts, a look for drift, a repair, and what every command says of it.
    await writeFile(join(world.directory, 'key.txt'), `${planted.rotated}\n`);
    await run(2, 'drift');
    await run(0, 'drift', '--repair', '--yes');
    await writeFile(join(world.directory, 'stack.yaml'), stack + service('web', 'server.mjs') + service('broken', 'broken.mjs'));
    await run(2, 'plan');
    await run(1, 'apply', '--yes');
    const { address, port } = await instance();
    expect(await (await fetch(`http://${address}:${port}/`)).json()).toMatchObject({ A: planted.later, B: `b-${planted.rotated}` });
    // A plan that is saved and a backup of the state are files like any other.
    await run(2, 'plan', '-o', join(world.home, 'saved.plan'));
    await run(0, 'state', 'backup');
    for (const line of [
      'status',
      'get all',
      'describe secret/from-env',
      'describe database/db',
      'events',
      'audit',
      'audit verify',
      'logs web',
    ])
      await run(0, ...line.split(' '));

    const runs = (await answer('GET', '/v1/runs')) as { id: string; plan: string }[];
    for (const row of Object.values(endpoints) as Endpoint[]) {
      if (row.method !== 'get') continue;
      const ids = row.path.includes('/plans/') ? runs.map(({ plan }) => plan) : runs.map(({ id }) => id);
      const targets = [
        ['service', 'web'],
        ['service', 'broken'],
        ['database', 'db'],
        ['secret', 'from-env'],
        ['secret', 'generated'],
      ];
      for (const id of row.path.includes('{id}') ? ids : ['']) {
        for (const [kind = '', name = ''] of row.path.includes('{name}') ? targets : [[]]) {
          if (row.path.includes('/services/') && kind !== 'service') continue;
          const path = row.path.replace('{id}', id).replace('{environment}', 'default').replace('{kind}', kind).replace('{name}', name);
          await answer('GET', path === '/v1/events' ? '/v1/events?limit=1000' : path);
        }
      }
    }
    const everything = said.join('\n');
    // What instances say is shown, without what they were given.
    for (const words of ['I was given ***', 'cannot connect']) expect([words, everything.includes(words)]).toEqual([words, true]);
    expect(values).toHaveLength(7);
    for (const value of values) expect(said.filter((text) => text.includes(value)).map((text) => text.slice(0, 400))).toEqual([]);
    for (const value of values) expect(everything.includes(Buffer.from(value).toString('base64'))).toBe(false);

    const commandLines = execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' });
    for (const value of values) expect(commandLines.includes(value)).toBe(false);
    expect(said.filter((text) => text.includes(unnamed))).toEqual([]);
    expect(filesContaining(world.home, unnamed)).toEqual([]);
    for (const value of values) {
      // What an instance itself writes is its own: the file is for its owner only, and what is shown of it is masked.
      const found = filesContaining(world.home, value).filter((file) => !/^logs\/(web|broken)\//.test(file));
      expect(found).toEqual([]);
    }
    const files = filesBelow(world.home);
    for (const file of [
      /^state\.db$/,
      /^state\.db-wal$/,
      /^backups\/.*\.db$/,
      /^saved\.plan$/,
      /^logs\/control-plane\.log$/,
      /^gateway\/.*log/,
    ])
      expect([file, files.some((name) => file.test(name))]).toEqual([file, true]);
    const log = await readFile(join(world.home, 'logs', 'control-plane.log'), 'utf8');
    expect(values.filter((value) => log.includes(value))).toEqual([]);
  }, 180_000);
});
