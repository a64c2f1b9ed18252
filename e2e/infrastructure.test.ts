import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesBelow, processesMentioning } from './leftovers.ts';
import { expectCode, type World } from './sluice.ts';

const seed = fileURLToPath(new URL('../examples/ai-agent/iac_config.yaml', import.meta.url));

/** The seed file's three steps as its readers would write them: the group, then the machine, then the database. */
async function stepsOfSeed(): Promise<readonly [string, string, string]> {
  const text = await readFile(seed, 'utf8');
  const machine = text.indexOf('virtual_machine:');
  const database = text.indexOf('database:');
  return [text.slice(0, machine), text.slice(0, database), text];
}

describe('the single-file example', () => {
  let world: World;

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-iac-'));
    world = { directory, home: join(directory, '.sluice') };
    await cp(seed, join(directory, 'iac_config.yaml'));
  });

  afterAll(async () => {
    await expectCode(0, world, 'down');
    await rm(world.directory, { recursive: true, force: true });
  });

  it('applies each of its steps, each as an addition to the one before', async () => {
    const [group, withMachine] = await stepsOfSeed();
    await writeFile(join(world.directory, 'step.yaml'), group);
    expect((await expectCode(0, world, 'apply', 'step.yaml', '--yes')).stdout).toContain('1 to create');

    await writeFile(join(world.directory, 'step.yaml'), withMachine);
    const second = await expectCode(0, world, 'apply', 'step.yaml', '--yes');
    expect(second.stdout).toMatch(/1 to create.*1 unchanged/);

    const third = await expectCode(0, world, 'apply', 'iac_config.yaml', '--yes');
    expect(third.stdout).toMatch(/1 to create.*2 unchanged/);
  });

  it('says "No changes" the second time and in a plan', async () => {
    expect((await expectCode(0, world, 'apply', 'iac_config.yaml', '--yes')).stdout).toContain('No changes');
    await expectCode(0, world, 'plan', 'iac_config.yaml');
  });

  it('ends a plan that finds changes with exit code 2', async () => {
    const changed = (await readFile(seed, 'utf8')).replace('backup_retention_days: 7', 'backup_retention_days: 14');
    await writeFile(join(world.directory, 'changed.yaml'), changed);
    const plan = await expectCode(2, world, 'plan', 'changed.yaml');
    expect(plan.stdout).toMatch(/backup_retention_days.*7.*14/);
  });

  it('runs a PostgreSQL server of the declared major version that answers on its URL', async () => {
    const { stdout } = await expectCode(0, world, 'get', 'database', 'agent-state-db', '--json');
    expect(stdout).not.toMatch(/postgres(ql)?:\/\/[^"]*:[^"*]+@/);
    const password = await rejectedPassword(stdout);
    expect(password).toMatch(/password authentication failed/);
  });

  it('is destroyed without a trace: no process, no file of a resource, nothing left to destroy', async () => {
    await expectCode(0, world, 'destroy', 'iac_config.yaml', '--yes');
    expect((await expectCode(0, world, 'destroy', 'iac_config.yaml', '--yes')).stdout).toMatch(/[Nn]o(thing| changes)/);
    await expectCode(0, world, 'down');
    expect(processesMentioning(world.directory)).toEqual([]);
    const kept = filesBelow(world.home).filter((file) => /^(machines|databases|instances|releases|caches)\//.test(file));
    expect(kept).toEqual([]);
  });
});

/** Proves a real server with real authentication: it refuses a wrong password by its own message. */
async function rejectedPassword(json: string): Promise<string> {
  const port = Number(/"port":\s*(?:\{\s*"value":\s*)?(\d+)/.exec(json)?.[1]);
  const host = /"host":\s*(?:\{\s*"value":\s*)?"([\d.]+)"/.exec(json)?.[1];
  const user = /"user":\s*(?:\{\s*"value":\s*)?"([^"]+)"/.exec(json)?.[1];
  const client = new pg.Client({ host, port, user, database: 'postgres', password: 'wrong', connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    return 'accepted a wrong password';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.end().catch(() => undefined);
  }
}

describe('a stack that cannot be planned in a fresh folder', () => {
  it.each([['up'], ['up', '--detach']])('leaves nothing running after %s %s', async (...line) => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-broken-'));
    const world: World = { directory, home: join(directory, '.sluice') };
    await writeFile(join(directory, 'stack.yaml'), 'database: { name: orders, type: PostgreSQL, version: "1" }\n');
    expect((await expectCode(1, world, ...line)).stderr).toContain('database_version_unavailable');
    expect(processesMentioning(directory)).toEqual([]);
    await rm(directory, { recursive: true, force: true });
  });
});
