import { z } from 'zod';
import { duration } from '../../fields/duration.ts';
import { argv, urlPath } from '../../fields/text.ts';

/** How readiness is found out: by HTTP, by a command, or by whether the port accepts connections (`tcp`, also when nothing is said). */
export const health = z
  .strictObject({
    path: urlPath().optional().describe('Ready when a GET of this path answers with a status from 200 to 399.'),
    tcp: z.boolean().optional().describe('Ready when the port accepts connections; this is so when neither path nor command is given.'),
    command: argv().optional().describe('Ready when this command, run beside the instance, ends with status 0.'),
    interval: duration().default('1s').describe('Time between two checks.'),
    timeout: duration().default('1s').describe('A check that takes longer has failed.'),
    start_period: duration().default('60s').describe('An instance that is not ready by then has failed to start.'),
  })
  .refine(({ path, tcp, command }) => [path, tcp === true || undefined, command].filter((way) => way !== undefined).length <= 1, {
    error: 'only one of path, tcp and command',
  });
