import type { Client } from '../../api/client.ts';
import type { FlagPreview, PreviewFlagRequest } from '../../api/schemas/flag.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { printJson } from '../terminal/json.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { escapeLines } from '../terminal/text.ts';

/** How what was set by hand is taken back, to be said where it is set. */
export function undoing(environment: string, flag: string): string {
  return `It stays so until \`sluice flag set ${flag} --clear -e ${environment}\`, whatever is applied meanwhile.`;
}

/** Prints what a change by hand would come to; the exit code is 2 where it would change anything. */
export async function previewFlag(
  client: Pick<Client, 'previewFlag'>,
  { environment, flag }: { readonly environment: string; readonly flag: string },
  request: PreviewFlagRequest,
  { terminal, json }: { readonly terminal: Terminal; readonly json: boolean },
): Promise<ExitCode> {
  const preview = await client.previewFlag(environment, flag, request);
  if (json) printJson(terminal, preview);
  else terminal.out.write(preview.changes ? inLines(preview) : `${preview.address} stays as it is: ${preview.from}.\n`);
  return preview.changes ? exitCodes.changes : exitCodes.ok;
}

function inLines({ address, from, to, users, uses, endsRollout }: FlagPreview): string {
  const askers = new Set(uses.map(({ service, release }) => (service === undefined ? 'API keys' : `${service}@${release ?? '?'}`)));
  const lines = [
    `${address} would serve ${to}; now: ${from}.`,
    ...users.map((line) => `  ${line}`),
    `  ${askers.size === 0 ? 'nobody has asked for it yet' : `asked for by ${[...askers].join(', ')}`}`,
    ...(endsRollout === undefined ? [] : [`  it would end the rollout of ${endsRollout}`]),
    'Nothing was changed.',
  ];
  return `${lines.map(escapeLines).join('\n')}\n`;
}
