import type { CreateKeyRequest } from '../../api/schemas/key.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { oneOf, reason, stackOption, text } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';

const roles = ['admin', 'operator', 'viewer', 'evaluator'] as const satisfies readonly CreateKeyRequest['role'][];
const secondsPer: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

export const command = defineCommand({
  description:
    'Makes a key for the HTTP API and shows it this one time; only a digest of it is kept. The key goes to standard output, so it can be piped.',
  arguments: [{ name: 'name', description: 'What it is for', required: true }],
  options: {
    role: oneOf(roles, 'What it may do: everything, change and operate, only read, or only ask for flags', 'viewer'),
    environment: text('name', 'The only environment it asks for flags of; goes with the role evaluator', { short: 'e' }),
    expires: text('duration', 'When it ends, counted from now: 12h, 30d; default: never'),
    reason,
    stack: stackOption,
  },
  examples: [
    { command: 'sluice key create dashboard', comment: 'may read' },
    { command: 'sluice key create web --role evaluator -e production', comment: 'for a program that asks for flags' },
    { command: 'sluice key create ci --role operator --expires 90d', comment: 'may apply, for 90 days' },
  ],
  run: async ({ terminal, global, arguments: { name }, options }) => {
    const request: CreateKeyRequest = {
      name,
      role: options.role,
      ...(options.environment !== undefined && { environment: options.environment }),
      ...(options.expires !== undefined && { expiresInSeconds: secondsOf(options.expires) }),
    };
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const created = await client.createKey(request);
    if (global.json) printJson(terminal, created);
    else {
      terminal.out.write(`${created.key}\n`);
      note(
        terminal,
        `This is the only time it is shown. ${created.details.id}, ${created.details.role}; \`sluice key revoke ${created.details.id}\` ends it.`,
      );
    }
    return exitCodes.ok;
  },
});

function secondsOf(duration: string): number {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(duration) ?? [];
  const seconds = Number(amount) * (secondsPer[unit ?? ''] ?? Number.NaN);
  if (!Number.isSafeInteger(seconds) || seconds < 1) {
    throw sluiceError('usage', { reason: `'${duration}' is not a duration such as 12h or 30d.`, command: 'key create' });
  }
  return seconds;
}
