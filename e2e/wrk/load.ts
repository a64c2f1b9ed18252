import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../src/testing/conditions.ts';

const script = fileURLToPath(new URL('users.lua', import.meta.url));

/** What a load of `wrk` has met. Each request is of another user. */
export interface Met {
  readonly answered: number;
  /** Users by the release that answered them. */
  readonly releases: Readonly<Record<string, number>>;
  /** What no release has answered, connections that broke and answers that did not come: nothing when all is well. */
  readonly lost: readonly string[];
}

/** `wrk` over kept-alive connections until it is stopped, by a user each. Resolves once it is under way; rejects where there is no wrk. */
export async function startWrk(url: string, { host, atOnce = 16 }: { readonly host: string; readonly atOnce?: number }) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-wrk-'));
  const progress = join(folder, 'answered');
  const line = ['-t1', `-c${atOnce}`, '-d3600s', '--timeout', '20s', '-H', `Host: ${host}`, '-s', script, url, '--'];
  const child = spawn('wrk', [...line, `u${randomBytes(4).toString('hex')}-`, progress], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const failed = once(child, 'error').then(([error]) => Promise.reject(new Error(`wrk is needed: ${(error as Error).message}`)));
  const ended = once(child, 'close').catch(() => undefined);
  const answered = async (): Promise<number> => Number(await readFile(progress, 'utf8').catch(() => '0'));
  /** So many users have been answered since the beginning. */
  const reaches = (users: number): Promise<unknown> => until(`${users} users`, async () => (await answered()) >= users);
  await Promise.race([failed, reaches(200)]);

  return {
    reaches,
    /** For who has no use for what it has met. */
    kill: (): void => void child.kill('SIGKILL'),
    stop: async (): Promise<Met> => {
      child.kill('SIGINT');
      await ended;
      await rm(folder, { recursive: true, force: true });
      const last = said.trim().split('\n').at(-1) ?? '';
      if (!last.startsWith('{')) throw new Error(`wrk said: ${said}`);
      const { broken, timeouts, lost, firstLost, ...met } = JSON.parse(last) as Met &
        Record<'broken' | 'timeouts' | 'lost', number> & {
          firstLost: string;
        };
      const failures = [
        [broken, 'connections broken'],
        [timeouts, 'answers that did not come'],
        [lost, `answers of nobody, the first: ${firstLost}`],
      ] as const;
      return { ...met, lost: failures.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])) };
    },
  };
}

export type Wrk = Awaited<ReturnType<typeof startWrk>>;
