import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { until } from '../testing/conditions.ts';

const program = fileURLToPath(new URL('./testdata/engine-process.ts', import.meta.url));

describe('two engines in two processes over one SQLite file', () => {
  let folder: string;
  let children: ChildProcess[];
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-two-'));
    children = [];
    await (await openSqliteStore({ path: join(folder, 'state.db') })).close();
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  const start = (...line: readonly string[]) => {
    const child = spawn(process.execPath, [program, folder, ...line], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const outcome = once(child, 'close').then(() => (output === '' ? 'killed' : (JSON.parse(output) as Record<string, unknown>)));
    return { child, outcome };
  };
  const startHeld = async (...line: readonly string[]) => {
    writeFileSync(join(folder, 'gate'), '');
    const started = start(...line);
    await until('the first engine to be in the middle of it', () => existsSync(join(folder, 'waiting')));
    return started;
  };
  const openGate = (): void => rmSync(join(folder, 'gate'));
  const effects = (): readonly string[] => readFileSync(join(folder, 'effects'), 'utf8').trim().split('\n');

  it('work one after the other: who comes second is told who is at work', async () => {
    const first = await startHeld('apply', 'one', 'slow');
    expect(await start('apply', 'one', 'two').outcome).toMatchObject({
      code: 'environment_busy',
      message: expect.stringContaining(`process ${first.child.pid}, since`),
    });
    openGate();
    expect(await first.outcome).toEqual({ status: 'succeeded' });
    expect(await start('apply', 'one', 'slow', 'two').outcome).toEqual({ status: 'succeeded' });
    expect(effects().map((line) => line.replace(/^\d+ /, ''))).toEqual([
      'create test/cache/one',
      'create test/cache/slow',
      'create test/cache/two',
    ]);
  });

  it('give way at once when the holder is killed, and nothing it had made is made again', async () => {
    const first = await startHeld('apply', 'one', 'slow');
    first.child.kill('SIGKILL');
    expect(await first.outcome).toBe('killed');
    openGate();
    expect(await start('apply', 'one', 'slow').outcome).toEqual({ status: 'succeeded' });
    expect(effects().map((line) => line.replace(/^\d+ /, ''))).toEqual(['create test/cache/one', 'create test/cache/slow']);
  });

  it('keep a holder from changing anything that was paused, unlocked and overtaken before it woke', async () => {
    const first = await startHeld('apply', 'one', 'slow', 'three');
    // Paused in the middle of a transaction it would hold the lock of the file itself, against which no lease helps: not here.
    const unlocked = await until('it to be paused outside of a transaction', async () => {
      first.child.kill('SIGSTOP');
      const outcome = (await start('unlock').outcome) as Record<string, unknown>;
      if (outcome['code'] !== 'store_unavailable') return outcome;
      first.child.kill('SIGCONT');
      return undefined;
    });
    expect(unlocked).toMatchObject({ pid: first.child.pid, run: `run-${first.child.pid}`, work: 'apply' });
    openGate();
    expect(await start('apply', 'one', 'slow').outcome).toEqual({ status: 'succeeded' });
    const before = effects();
    first.child.kill('SIGCONT');
    expect(await first.outcome).toMatchObject({ code: 'lease_lost' });
    expect(effects()).toEqual(before);
    expect(before.filter((line) => line.startsWith(`${first.child.pid} `))).toHaveLength(1);
    expect(await start('unlock').outcome).toBe('free');
  });

  it('let one of four win when all begin at the same moment', async () => {
    const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map((name) => start('apply', name).outcome));
    const codes = outcomes.map((outcome) => (typeof outcome === 'string' ? outcome : (outcome['status'] ?? outcome['code'])));
    expect(codes).toContain('succeeded');
    // Those who come a moment later find another plan's world: they are told so, or delete what they know nothing of; never both at once.
    for (const code of codes) expect(['succeeded', 'environment_busy', 'plan_stale']).toContain(code);
    const store = await openSqliteStore({ path: join(folder, 'state.db') });
    const states = await store.list('resources');
    expect(states.map(({ value }) => (value as { status: string }).status)).toEqual(states.map(() => 'ready'));
    const present = states.map(({ key }) => key.split('/')[2]);
    expect(['a', 'b', 'c', 'd'].filter((name) => existsSync(join(folder, `resource-test.cache.${name}`)))).toEqual(present);
    expect(await store.list('leases')).toEqual([]);
    await store.close();
  });
});
