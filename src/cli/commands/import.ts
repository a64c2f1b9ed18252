import { applyStack } from '../changing/apply-stack.ts';
import { defineCommand } from '../command.ts';
import { environment, flag, parallelism, reason, stackArgument, variables, yes } from '../options.ts';
import { connect } from '../target/connect.ts';
import { stackTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';

export const command = defineCommand({
  description:
    'Takes over something that exists already as a resource the stack declares, without making it anew. What differs from the stack afterwards shows in the next plan. The provider `local` takes over by its own ids what this home still has, for example after `sluice state rm`.',
  arguments: [
    { name: 'address', description: 'KIND/NAME as the stack declares it', required: true },
    { name: 'id', description: "The provider's own name of what exists", required: true },
    stackArgument,
  ],
  options: { environment, var: variables, yes, dryRun: flag('Only prints the plan'), parallelism, reason },
  examples: [{ command: 'sluice import secret/session-key secret-session-key-0123456789ab', comment: 'one resource' }],
  exitCodes: { 0: 'adopted', 1: 'there is no such thing, or it cannot be taken over', 2: '--dry-run: it would be adopted' },
  run: async ({ terminal, global, arguments: { address, id, stack }, options }) => {
    const target = stackTarget(stack, global, terminal);
    const connection = await connect(target, terminal, { reason: options.reason });
    const wishes = { ...options, adopt: [{ address, id }] };
    const { plan, run, code } = await applyStack(connection, target, 'apply', wishes, terminal, global);
    if (global.json) printJson(terminal, { plan, ...(run && { run }) });
    return code;
  },
});
