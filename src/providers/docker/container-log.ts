import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../effects/clock.ts';
import type { Engine } from './engine.ts';
import { readFrames } from './frames.ts';

export interface FollowedLog {
  /** Resolves once all that the container wrote is in the file, or following was given up. */
  readonly done: Promise<void>;
  stop(): void;
}

/** What the file has already: all before `at`, and `count` lines of that very moment. Of one container. */
interface Cursor {
  readonly container: string;
  readonly at: string;
  readonly count: number;
}

const pauseMs = 250;

/**
 * Appends what a container writes to the instance's log, in the order it wrote it. Where it is, it keeps in `folder`: whoever follows
 * after it, also after a kill, goes on from there. Goes on by itself when the engine comes back.
 */
export function followContainerLog(
  {
    container,
    logFile,
    folder,
    isOver,
  }: { readonly container: string; readonly logFile: string; readonly folder: string; readonly isOver: () => boolean },
  { engine, clock }: { readonly engine: Engine; readonly clock: Clock },
): FollowedLog {
  const stopping = new AbortController();
  const file = join(folder, 'log.json');

  async function follow(): Promise<void> {
    await mkdir(dirname(logFile), { recursive: true, mode: 0o700 });
    let cursor = await readCursor(file, container);
    while (!stopping.signal.aborted) {
      const over = isOver();
      try {
        const ended = await pass();
        if (ended && (over || isOver())) return;
      } catch {
        // The engine is away: the container is not, and its lines wait there. Of one that has ended nothing more comes.
        if (over) return;
      }
      await clock.sleep(pauseMs, stopping.signal).catch(() => undefined);
    }

    /** True when the engine has said all there is for now. */
    async function pass(): Promise<boolean> {
      const query = new URLSearchParams({ follow: '1', stdout: '1', stderr: '1', timestamps: '1' });
      if (cursor.at !== '') query.set('since', sinceOf(cursor.at));
      const answer = await engine.open('GET', `/containers/${container}/logs?${query.toString()}`, { signal: stopping.signal });
      if (answer.statusCode !== 200) {
        answer.destroy();
        return true;
      }
      let skip = cursor.count;
      for await (const frames of readFrames(answer)) {
        const lines: Buffer[] = [];
        for (const frame of frames) {
          const space = frame.indexOf(0x20);
          const at = frame.toString('latin1', 0, space);
          if (space < 0 || at < cursor.at) continue;
          if (at === cursor.at && skip > 0) {
            skip -= 1;
            continue;
          }
          lines.push(frame.subarray(space + 1));
          cursor = { container, at, count: at === cursor.at ? cursor.count + 1 : 1 };
        }
        if (lines.length === 0) continue;
        await appendFile(logFile, Buffer.concat(lines), { mode: 0o600 });
        await writeFile(`${file}.tmp`, JSON.stringify(cursor), { mode: 0o600 });
        await rename(`${file}.tmp`, file);
      }
      return true;
    }
  }

  return {
    // What cannot be written (no space) must not end the service with it.
    done: follow().catch(() => undefined),
    stop: () => stopping.abort(),
  };
}

async function readCursor(file: string, container: string): Promise<Cursor> {
  const start = { container, at: '', count: 0 };
  try {
    const read = JSON.parse(await readFile(file, 'utf8')) as Cursor;
    return read.container === container ? read : start;
  } catch {
    return start;
  }
}

/** `2026-11-22T01:02:03.000000004Z` as seconds and nanoseconds, which is how the engine is asked. */
function sinceOf(at: string): string {
  const [seconds = '', nanos = '0'] = at.replace(/Z$/, '').split('.');
  return `${Date.parse(`${seconds}Z`) / 1_000}.${nanos}`;
}
