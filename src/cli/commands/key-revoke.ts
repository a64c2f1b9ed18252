import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { reason, stackOption, yes } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { confirm } from '../terminal/confirm.ts';
import { printJson } from '../terminal/json.ts';

export const command = defineCommand({
  description: 'Ends a key at once: the next request with it is refused. The last key that can administer is kept.',
  arguments: [{ name: 'id', description: 'As `sluice key list` shows it', required: true }],
  options: { yes, reason, stack: stackOption },
  examples: [{ command: 'sluice key revoke key-4f0c9a7d21e5b836 --yes', comment: 'in a script' }],
  exitCodes: { 0: 'revoked', 1: 'there is no such key, or it is the last of the administrators', 64: 'nobody can be asked: pass --yes' },
  run: async ({ terminal, global, arguments: { id }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    await confirm(terminal, `Revoke the key ${id}?`, options.yes);
    const key = await client.revokeKey(id);
    if (global.json) printJson(terminal, key);
    else terminal.out.write(`Revoked ${key.id} (${key.name}).\n`);
    return exitCodes.ok;
  },
});
