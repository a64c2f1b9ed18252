import { applyStack } from '../changing/apply-stack.ts';
import { defineCommand } from '../command.ts';
import { allowDestroy, environment, exclude, flag, parallelism, reason, stackArgument, target as targetOption, yes } from '../options.ts';
import { connect } from '../target/connect.ts';
import { stackTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';

export const command = defineCommand({
  description:
    'Removes every resource of the environment: processes, ports, files and the data in them. Asks first. What the stack protects is refused without --allow-destroy ADDRESS. To stop without losing data, use `sluice down`.',
  arguments: [stackArgument],
  options: {
    environment,
    yes,
    dryRun: flag('Only prints what would be removed'),
    allowDestroy,
    target: targetOption,
    exclude,
    parallelism,
    reason,
  },
  examples: [
    { command: 'sluice destroy --dry-run', comment: 'what would go' },
    { command: 'sluice destroy iac_config.yaml --yes', comment: 'in a script' },
  ],
  exitCodes: {
    0: 'nothing is left',
    1: 'something could not be removed',
    2: '--dry-run: there is something to remove',
    64: 'nobody can be asked: pass --yes',
    130: 'cancelled by Ctrl-C',
  },
  run: async ({ terminal, global, arguments: { stack }, options }) => {
    const target = stackTarget(stack, global, terminal);
    const connection = await connect(target, terminal, { reason: options.reason });
    const { plan, run, code } = await applyStack(connection, target, 'destroy', { ...options, var: {} }, terminal, global);
    if (global.json) printJson(terminal, { plan, ...(run && { run }) });
    return code;
  },
});
