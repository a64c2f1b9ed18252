import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../effects/clock.ts';
import { writeDurably } from '../../effects/files.ts';
import { gatewayFiles } from '../gateway-files.ts';

/** How long a gateway that is started does without a HAProxy that failed. */
const avoidMs = 10 * 60_000;

const failure = z.object({ at: z.number(), reason: z.string() });

function fileOf(folder: string): string {
  return join(gatewayFiles(folder).haproxy, 'failed.json');
}

/** For the processes that come after this one: HAProxy could not be started, or did not stay. */
export async function noteFailure(folder: string, reason: string, clock: Pick<Clock, 'now'>): Promise<void> {
  await writeDurably(fileOf(folder), JSON.stringify({ at: clock.now(), reason }));
}

/** Why HAProxy is not to be tried, if it failed a short while ago. */
export async function recentFailure(folder: string, clock: Pick<Clock, 'now'>): Promise<string | undefined> {
  try {
    const { at, reason } = failure.parse(JSON.parse(await readFile(fileOf(folder), 'utf8')));
    const passedMs = clock.now() - at;
    return passedMs >= 0 && passedMs < avoidMs ? reason : undefined;
  } catch {
    return undefined;
  }
}
