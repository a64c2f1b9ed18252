import { spawn } from 'node:child_process';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { identify } from '../../effects/processes.ts';
import { until } from '../../testing/conditions.ts';
import { runCommand } from './command.ts';

let directory: string;
beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'sluice-command-')));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const run = (command: readonly string[], timeoutMs = 10_000) =>
  runCommand({ command, directory, environment: { PATH: process.env['PATH'] ?? '', SLUICE_RELEASE: 'r-2' }, timeoutMs }).catch(
    (error: Error) => error.message,
  );
const shell = (script: string, timeoutMs?: number) => run(['sh', '-c', script], timeoutMs);

it.each([
  ['echo fine; exit 0', { outcome: 'pass', said: 'fine' }],
  ['exit 0', { outcome: 'pass' }],
  ['echo "quality 0.3" >&2; exit 1', { outcome: 'fail', said: 'quality 0.3' }],
  ['echo "no such model"; exit 2', 'it ended with 2: no such model'],
  ['kill -9 $$', 'it ended with SIGKILL'],
])('%s comes to %j', async (script, expected) => {
  expect(await shell(script)).toEqual(expected);
});

it('runs in the folder it is given, with nothing of the environment but what it is given, and no shell reads its arguments', async () => {
  expect(await shell('pwd')).toEqual({ outcome: 'pass', said: directory });
  expect(await shell('env | cut -d= -f1 | grep -v -e PWD -e SHLVL -e "^_$" | sort | tr "\\n" " "')).toEqual({
    outcome: 'pass',
    said: 'PATH SLUICE_RELEASE',
  });
  expect(await run(['echo', '$(id); `id` | cat > x'])).toEqual({ outcome: 'pass', said: '$(id); `id` | cat > x' });
});

it('that cannot be started, takes too long or says too much is an error', async () => {
  expect(await run(['no-such-program'])).toBe("'no-such-program' cannot be started (ENOENT)");
  expect(await run([directory])).toBe(`'${directory}' cannot be started (EACCES)`);
  expect(await shell('sleep 60', 100)).toBe('it did not end within 100 ms');
  expect(await shell('trap "" TERM INT; yes', 10_000)).toBe('it said more than 1048576 bytes');
});

it('leaves nothing running, whatever it has started', async () => {
  expect(await shell('sleep 60 & echo $! > left; echo fine')).toEqual({ outcome: 'pass', said: 'fine' });
  const left = Number(await readFile(join(directory, 'left'), 'utf8'));
  await until('the end of what was left', async () => (await readFile(`/proc/${left}/stat`, 'utf8').catch(() => ') Z')).includes(') Z'));
});

it('ends with the one who runs it, also when that one is killed at once', async () => {
  const script = 'echo $$ > mine; sleep 60 & echo $! > its; wait';
  const program = `import { runCommand } from ${JSON.stringify(new URL('command.ts', import.meta.url).href)};
    await runCommand({ command: ['sh', '-c', ${JSON.stringify(script)}], directory: ${JSON.stringify(directory)}, environment: { PATH: process.env.PATH }, timeoutMs: 60_000 });`;
  const pidIn = async (file: string): Promise<number> => Number(await readFile(join(directory, file), 'utf8').catch(() => ''));
  const runner = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' });
  const pids = await until('the command to run', async () => {
    const found = [await pidIn('mine'), await pidIn('its')];
    return found.every((pid) => pid > 0) && found;
  });
  runner.kill('SIGKILL');
  const left = () => pids.filter((pid) => identify(pid) !== undefined);
  await until('the end of the command and of what it has started', () => left().length === 0);
  expect(left()).toEqual([]);
});
