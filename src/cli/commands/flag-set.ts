import type { SetFlagRequest } from '../../api/schemas/flag.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { flag, holdingEnvironment, reason, stackOption, text } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';
import { previewFlag, undoing } from '../changing/flag-override.ts';
import { environmentOfFlag } from '../watching/selection.ts';

export const command = defineCommand({
  description:
    'Serves one variant of a flag to everybody, or to a share of users, whatever the rules of the stack say. It takes effect at once, without a deployment, and stays until it is cleared: an apply leaves it as it is, and a plan says that it is there. A share that grows keeps the users it had.',
  arguments: [
    { name: 'flag', description: 'Name of a flag', required: true },
    { name: 'variant', description: 'One of its variants' },
  ],
  options: {
    environment: holdingEnvironment,
    percent: text('share', 'Only for this share of users, from 0 to 100; the others get what the stack says'),
    by: text('attribute', 'What users are told apart by; default: their targeting key'),
    clear: flag('Lets the stack decide again'),
    dryRun: flag('Only says what would change, and for whom'),
    reason,
    stack: stackOption,
  },
  examples: [
    { command: 'sluice flag set answer-with-citations on', comment: 'for everybody' },
    { command: 'sluice flag set answer-with-citations on --percent 25', comment: 'for a quarter of the users' },
    { command: 'sluice flag set answer-with-citations on --percent 50 --dry-run', comment: 'what that would change' },
    { command: 'sluice flag set answer-with-citations --clear', comment: 'as the stack says' },
  ],
  exitCodes: { 0: 'set; with --dry-run: it is so already', 2: '--dry-run: it would be changed' },
  run: async ({ terminal, global, arguments: { flag: name, variant }, options }) => {
    const request = requestOf(variant, options);
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const place = await environmentOfFlag(client, options.environment, name);
    if (options.dryRun) {
      return previewFlag(
        client,
        { environment: place, flag: name },
        request === undefined ? { change: 'clear' } : { change: 'set', ...request },
        { terminal, json: global.json },
      );
    }
    const view = request === undefined ? await client.clearFlag(place, name) : await client.setFlag(place, name, request);
    if (global.json) printJson(terminal, view);
    else {
      terminal.out.write(`${view.address} serves ${view.serves}.\n`);
      if (request !== undefined) note(terminal, undoing(place, name));
    }
    return exitCodes.ok;
  },
});

function usage(reason: string): Error {
  return sluiceError('usage', { reason, command: 'flag set' });
}

function requestOf(
  variant: string | undefined,
  { percent, by, clear }: { readonly percent: string | undefined; readonly by: string | undefined; readonly clear: boolean },
): SetFlagRequest | undefined {
  if (clear) {
    if (variant !== undefined || percent !== undefined || by !== undefined) throw usage('--clear goes with the name of the flag alone.');
    return undefined;
  }
  if (variant === undefined) throw usage('Name the variant to serve, or pass --clear.');
  if (percent === undefined) {
    if (by !== undefined) throw usage('--by goes with --percent.');
    return { variant };
  }
  const share = Number(percent.replace(/%$/, ''));
  if (!/^\d{1,3}(\.\d{1,2})?%?$/.test(percent) || share > 100)
    throw usage(`'${percent}' is not a share from 0 to 100 with at most two decimals.`);
  return { variant, percent: share, ...(by !== undefined && { attribute: by }) };
}
