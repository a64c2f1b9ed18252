import { applyStack } from '../changing/apply-stack.ts';
import { defineCommand } from '../command.ts';
import { allowDestroy, environment, flag, parallelism, reason, stackArgument, variables, yes } from '../options.ts';
import { connect } from '../target/connect.ts';
import { stackTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';

export const command = defineCommand({
  description:
    'Prints the plan and carries it out, in parallel where nothing depends on each other, with live progress. Asks first when something would be deleted or replaced. What is applied keeps running in the background; `sluice down` stops it. Ctrl-C cancels the run: what is done stays done, and the next apply does the rest.',
  arguments: [stackArgument],
  options: {
    environment,
    var: variables,
    yes,
    dryRun: flag('Only prints the plan'),
    allowDestroy,
    parallelism,
    reason,
  },
  examples: [
    { command: 'sluice apply iac_config.yaml', comment: 'one file' },
    { command: 'sluice apply --yes --var replicas=3', comment: 'in a script' },
    { command: 'sluice apply --dry-run', comment: 'exit code 2 when something would change' },
  ],
  exitCodes: {
    0: 'applied, or nothing to change',
    1: 'a change failed; the rest that did not depend on it is done',
    2: '--dry-run: there are changes',
    64: 'something would be deleted and nobody can be asked: pass --yes',
    130: 'cancelled by Ctrl-C',
  },
  run: async ({ terminal, global, arguments: { stack }, options }) => {
    const target = stackTarget(stack, global, terminal);
    const connection = await connect(target, terminal, options.reason);
    const { plan, run, code } = await applyStack(connection, target, 'apply', options, terminal, global);
    if (global.json) printJson(terminal, { plan, ...(run && { run }) });
    return code;
  },
});
