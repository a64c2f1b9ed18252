import { copyFile, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../effects/clock.ts';

export interface LogRotatorOptions {
  /** Folder whose `.log` files, at any depth, are kept small. Missing is fine. */
  readonly folder: string;
  readonly clock: Clock;
  /** A file larger than this is rotated at the next look. */
  readonly maxBytes?: number;
  /** Rotated files kept beside the current one. */
  readonly keep?: number;
  readonly intervalMs?: number;
}

export interface LogRotator {
  /** Looks at every file once. */
  rotate(): Promise<void>;
  /** Looks again and again until the signal is aborted. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Rotates logs that other processes hold open in append mode: the file is copied and emptied in place, so that no process has to be
 * told. What is written in the instant between the two is lost.
 */
export function createLogRotator(options: LogRotatorOptions): LogRotator {
  const { folder, clock, maxBytes = 10 * 1024 * 1024, keep = 3, intervalMs = 5_000 } = options;

  async function rotate(): Promise<void> {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
      if (!entry.isFile() || !entry.name.endsWith('.log')) continue;
      // One file that is being removed or cannot be written must not keep the others from being rotated.
      await rotateFile(join(entry.parentPath, entry.name)).catch(() => undefined);
    }
  }

  async function rotateFile(file: string): Promise<void> {
    if ((await stat(file)).size <= maxBytes) return;
    await rm(`${file}.${keep}`, { force: true });
    for (let number = keep - 1; number >= 1; number -= 1) {
      await rename(`${file}.${number}`, `${file}.${number + 1}`).catch(() => undefined);
    }
    if (keep > 0) await copyFile(file, `${file}.1`);
    await truncate(file, 0);
  }

  return {
    rotate,
    async run(signal) {
      while (!signal.aborted) {
        await rotate();
        await clock.sleep(intervalMs, signal).catch(() => undefined);
      }
    },
  };
}
