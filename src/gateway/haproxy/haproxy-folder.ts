import { chmod, mkdir, mkdtemp, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from '../../effects/files.ts';
import { errorFile } from './config/error-answers.ts';
import { luaScript } from './config/lua-script.ts';
import type { ConfigFiles } from './config/render-config.ts';

/** Files of the HAProxy plane, all readable by their owner alone. */
export interface HaproxyFolder {
  readonly log: string;
  /** Which process serves, for the process that takes over. */
  readonly record: string;
  /** Files of one HAProxy process, by a number that no earlier one had. */
  of(generation: string): { readonly config: string } & ConfigFiles;
  remove(generation: string): Promise<void>;
  /** HAProxy writes a line for every change of a server: what is too much is thrown away. */
  limitLog(): Promise<void>;
}

const largestLog = 4 * 1024 * 1024;

/** Longest path of a socket (unix(7): 108 bytes with the end), less the name. */
const longestSocketFolder = 80;

export async function openHaproxyFolder(folder: string): Promise<HaproxyFolder> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const sockets = folder.length > longestSocketFolder ? await mkdtemp(join(tmpdir(), 'sluice-')) : folder;
  const lua = join(folder, 'rules.lua');
  await writeDurably(lua, luaScript);
  const errors = new Map<number, string>();
  const answers = [
    [400, errorFile('gateway_request_invalid', { reason: 'it cannot be parsed' }, 'Bad Request')],
    [408, errorFile('gateway_request_timeout', {}, 'Request Timeout')],
    [500, errorFile('gateway_failure', {}, 'Internal Server Error')],
  ] as const;
  for (const [status, content] of answers) {
    const path = join(folder, `${status}.http`);
    await writeDurably(path, content);
    errors.set(status, path);
  }
  const log = join(folder, 'haproxy.log');
  return {
    log,
    limitLog: async () => {
      const { size } = await stat(log).catch(() => ({ size: 0 }));
      if (size > largestLog) await truncate(log, 0);
    },
    record: haproxyRecordFile(folder),
    of: (generation) => ({
      config: join(folder, `${generation}.cfg`),
      socket: join(sockets, `${generation}.sock`),
      map: join(folder, `${generation}.map`),
      lua,
      errors,
    }),
    remove: async (generation) => {
      for (const path of [`${generation}.cfg`, `${generation}.map`]) await rm(join(folder, path), { force: true });
      await rm(join(sockets, `${generation}.sock`), { force: true });
    },
  };
}

export function haproxyRecordFile(folder: string): string {
  return join(folder, 'haproxy.json');
}

/** What is on record of the process that serves; it may be gone. */
export const haproxyRecord = z.object({
  pid: z.number().int(),
  startTime: z.string(),
  generation: z.string(),
  socket: z.string(),
  binds: z.array(z.object({ host: z.string(), port: z.number().int() })),
});
export type HaproxyRecord = z.infer<typeof haproxyRecord>;
