import { renameSync, statSync } from 'node:fs';
import { destination, type Logger, pino } from 'pino';
import type { Clock } from '../effects/clock.ts';

/** The gateway's own log: few lines, never a header, a body or a token. */
export interface GatewayLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLog: GatewayLog = { info: () => {}, warn: () => {}, error: () => {} };

const largestFile = 10 * 1024 * 1024;
const linesPerSecond = 20;

/**
 * JSON lines appended to `path` (mode 0600), one old file kept. A fault that hits every request must not fill the disk: beyond 20 warnings a
 * second they are only counted.
 */
export function openLog(path: string, clock: Clock): GatewayLog {
  rotate(path);
  const logger = pino({ base: { pid: process.pid } }, destination({ dest: path, append: true, mkdir: true, mode: 0o600, sync: true }));
  return limited(logger, clock);
}

function limited(logger: Logger, clock: Clock): GatewayLog {
  let second = 0;
  let lines = 0;
  let suppressed = 0;
  const warn = (fields: object, message: string): void => {
    const now = Math.floor(clock.monotonic() / 1_000);
    if (now !== second) {
      if (suppressed > 0) logger.warn({ suppressed }, 'further warnings were left out');
      second = now;
      lines = 0;
      suppressed = 0;
    }
    lines += 1;
    if (lines > linesPerSecond) suppressed += 1;
    else logger.warn(fields, message);
  };
  return { info: (fields, message) => logger.info(fields, message), warn, error: (fields, message) => logger.error(fields, message) };
}

function rotate(path: string): void {
  try {
    if (statSync(path).size > largestFile) renameSync(path, `${path}.1`);
  } catch {
    // No log yet.
  }
}
