import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemRandom } from '../src/effects/random.ts';
import { createDerivedSecrets } from '../src/providers/local/derived-secrets.ts';
import { until } from '../src/testing/conditions.ts';
import { createRolloutWorld, usualPrompt, type RolloutWorld } from './rollout-world.ts';
import { controlPlane, sluice } from './sluice.ts';

const database = 'resource_group: { name: shop }\ndatabase: { name: db, resource_group_name: shop, type: PostgreSQL, version: "15" }\n';
const changing = (rollout: string): string => `${rollout}\n  migrations: migrations\n  env: { DATABASE_URL: "\${database.db.url}" }`;
const rollouts = {
  rolling: '{ strategy: rolling }',
  blue_green: '{ strategy: blue_green, smoke: { path: /healthz } }',
  canary: '{ strategy: canary, affinity: { cookie: session }, steps: [{ weight: 20, for: 300ms }] }',
};

// A part of `npm run prove:kills`: the state that comes before all of a rollout's own.
describe.runIf(process.env['SLUICE_PROVE'] === 'kills')('kill -9 of the control plane while a migration of the candidate runs', () => {
  let place: RolloutWorld;
  beforeAll(async () => {
    place = await createRolloutWorld();
    await chmod(place.world.directory, 0o755);
    await mkdir(join(place.world.directory, 'migrations'));
    await writeFile(
      join(place.world.directory, 'migrations', '1_done.expand.sql'),
      'CREATE TABLE done (x text); CREATE TABLE gate (x int);',
    );
    await place.begin({ word: 'first' }, database, changing(rollouts.rolling));
  }, 120_000);
  afterAll(() => place.dispose());

  async function query(statement: string): Promise<readonly Record<string, unknown>[]> {
    const { stdout } = await place.run(0, 'state', 'show', 'database/db', '--json');
    const { id, outputs } = JSON.parse(stdout) as { id: string; outputs: Record<string, { value: unknown }> };
    const text = (name: string): string => String(outputs[name]?.value);
    const password = await createDerivedSecrets(place.world.home, systemRandom).derive(id, 'database', 32);
    const client = new pg.Client({
      host: text('host'),
      port: Number(text('port')),
      user: text('user'),
      database: text('database'),
      password,
    });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  }

  it.each(Object.entries(rollouts))(
    '%s: stable goes on, and the next deployment runs it once and ends',
    { timeout: 180_000 },
    async (name, rollout) => {
      const { world, write, run, wrk, view, ask } = place;
      const file = `2_${name}.migrate.sql`;
      const slow = `INSERT INTO done VALUES ('${name}'); DO $$ BEGIN IF EXISTS (SELECT 1 FROM gate) THEN PERFORM pg_sleep(120); END IF; END $$;`;
      await query('INSERT INTO gate VALUES (1)');
      await writeFile(join(world.directory, 'migrations', file), slow);
      await write(changing(rollout), { word: name }, usualPrompt, database);
      const load = await wrk(4);
      const { release: before } = await view();
      const first = sluice(world, 'deploy', 'agent');
      await until('the migration', async () => (await query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length === 1);
      process.kill((await controlPlane(world)).pid, 'SIGKILL');
      expect((await first).code).not.toBe(0);
      await run(0, 'status');
      expect([(await view()).release, (await view()).rollout, await query(`SELECT x FROM done WHERE x = '${name}'`)]).toEqual([
        before,
        undefined,
        [],
      ]);
      await query('DELETE FROM gate');
      await run(0, 'deploy', 'agent');
      expect(await ask('anybody')).toBe(name);
      expect((await load.stop()).lost).toEqual([]);
      expect(await query(`SELECT x FROM done WHERE x = '${name}'`)).toEqual([{ x: name }]);
      expect(await query(`SELECT name FROM sluice.migrations WHERE name = '${file}'`)).toEqual([{ name: file }]);
      await until('nothing else', async () => (await view()).instances.length === 2);
    },
  );
});
