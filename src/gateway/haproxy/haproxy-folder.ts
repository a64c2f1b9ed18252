import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from '../../effects/files.ts';
import { errorFile } from './config/error-answers.ts';
import { luaScript } from './config/lua-script.ts';
import { type ConfigFiles, nobody } from './config/render-config.ts';

/** Files of the HAProxy plane, all readable by their owner alone. */
export interface HaproxyFolder {
  readonly log: string;
  /** Which process serves, for the process that takes over. */
  readonly record: string;
  /** Files of one HAProxy process, by a number that no earlier one had. */
  of(generation: string): { readonly config: string } & ConfigFiles;
  remove(generation: string): Promise<void>;
  /** Path of a unix socket where HAProxy passes on what it does not answer itself: nobody but it and we can reach it. */
  relay(name: string): string;
  /** Removes what `relay` was used for. */
  close(): Promise<void>;
  /** HAProxy writes a line for every change of a server: what is too much is thrown away. */
  limitLog(): Promise<void>;
}

const largestLog = 4 * 1024 * 1024;

/** Longest path of a socket (unix(7): 108 bytes with the end), less our name of it and what HAProxy appends until it listens. */
const longestSocketFolder = 48;

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
  // One of our own, as it belongs to whom HAProxy becomes; those of processes that were killed are of no use.
  const relays = await mkdtemp(join(tmpdir(), 'sluice-relay-'));
  if (process.getuid?.() === 0) await chown(relays, nobody, nobody);
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
      map: (listener) => join(folder, `${generation}-${listener}.map`),
      lua,
      errors,
    }),
    relay: (name) => join(relays, name),
    close: () => rm(relays, { recursive: true, force: true }),
    remove: async (generation) => {
      const files = (await readdir(folder)).filter(
        (name) => name === `${generation}.cfg` || (name.startsWith(`${generation}-`) && name.endsWith('.map')),
      );
      for (const name of files) await rm(join(folder, name), { force: true });
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
