import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { identify, isAlive, type ProcessIdentity } from '../effects/processes.ts';
import { gatewayFiles } from './gateway-files.ts';

const crewMember = z.object({
  pid: z.number().int(),
  startTime: z.string(),
  /** The main process that started it; it may have ended. */
  mainPid: z.number().int(),
  /** `leaving`: it accepts nothing any more and finishes what it has. */
  state: z.enum(['serving', 'leaving']),
  report: z.object({
    inFlight: z.number(),
    instances: z.array(z.object({ key: z.string(), state: z.enum(['active', 'draining', 'removed']), inFlight: z.number() })).readonly(),
  }),
});
export type CrewMember = z.infer<typeof crewMember>;

/** Every process that serves for this folder or still finishes, whichever main process it came from. Clears away those that have ended. */
export async function liveCrew(folder: string): Promise<readonly CrewMember[]> {
  const { crew } = gatewayFiles(folder);
  const names = await readdir(crew).catch(() => []);
  const members = await Promise.all(names.filter((name) => name.endsWith('.json')).map((name) => memberIn(join(crew, name))));
  return members.filter((member) => member !== undefined);
}

/** Those that serve although their main process has ended. */
export async function orphansIn(folder: string): Promise<readonly CrewMember[]> {
  return (await liveCrew(folder)).filter(({ mainPid, state }) => state === 'serving' && identify(mainPid) === undefined);
}

async function memberIn(path: string): Promise<CrewMember | undefined> {
  try {
    const member = crewMember.parse(JSON.parse(await readFile(path, 'utf8')));
    if (isAlive(member)) return member;
  } catch {
    // Nobody's, or gone meanwhile.
  }
  await rm(path, { force: true });
  return undefined;
}

/** Ends a process at once, unless its number has become another's. */
export function endProcess(identity: ProcessIdentity): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
