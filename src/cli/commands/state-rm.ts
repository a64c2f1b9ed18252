import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdingEnvironment as environmentOption, reason, stackOption, yes } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { confirm } from '../terminal/confirm.ts';
import { printJson } from '../terminal/json.ts';
import { addressArgument, environmentHolding, resourceWord } from '../watching/selection.ts';

export const command = defineCommand({
  description:
    'Makes Sluice forget a resource. The resource itself is not touched: it goes on running and keeps its data, and `sluice import` takes it back. Asks first; the event log and the audit log keep who did it.',
  arguments: [addressArgument],
  options: { environment: environmentOption, yes, reason, stack: stackOption },
  examples: [{ command: 'sluice state rm cache/sessions --yes', comment: 'in a script' }],
  exitCodes: { 0: 'forgotten', 1: 'there is no such record', 64: 'nobody can be asked: pass --yes' },
  run: async ({ terminal, global, arguments: { address: word }, options }) => {
    const { kind, name, environment } = resourceWord(word);
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const where = await environmentHolding(client, environment ?? options.environment, kind, name);
    await confirm(terminal, `Forget ${where}/${kind}/${name}? It stays as it is, and Sluice looks after it no more.`, options.yes);
    const forgotten = await client.forgetResource(where, kind, name);
    if (global.json) printJson(terminal, forgotten);
    else terminal.out.write(`Forgot ${forgotten.address}. To take it back: sluice import ${kind}/${name} ${forgotten.id}\n`);
    return exitCodes.ok;
  },
});
