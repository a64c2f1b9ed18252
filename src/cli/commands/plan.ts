import { hasChanges } from '../../plan/plan.ts';
import { resolve } from 'node:path';
import { savePlan } from '../changing/saved-plan.ts';
import { note } from '../terminal/note.ts';
import { makePlan, showPlan } from '../changing/planning.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { environment, flag, planLimits, stackArgument, text, variables } from '../options.ts';
import { connect } from '../target/connect.ts';
import { stackTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';

export const command = defineCommand({
  description:
    'Compares the stack with what is there and prints every change with its reason, risk and order. Nothing is changed. Secrets never appear in a plan.',
  arguments: [stackArgument],
  options: {
    environment,
    var: variables,
    destroy: flag('Plans the removal of everything instead'),
    ...planLimits,
    out: text('file', 'Saves the plan for `sluice apply FILE`', { short: 'o', completes: 'files' }),
  },
  examples: [
    { command: 'sluice plan', comment: 'the stack of the current folder' },
    { command: 'sluice plan iac_config.yaml -e production', comment: 'one file, one environment' },
    { command: 'sluice plan -o release.plan', comment: 'to be looked at, then `sluice apply release.plan`' },
    { command: 'sluice plan --target database/orders', comment: 'one resource and what it needs' },
    { command: 'sluice plan --json | jq .changes', comment: 'for a program' },
  ],
  exitCodes: { 0: 'no changes', 1: 'no plan could be made', 2: 'there are changes' },
  run: async ({ terminal, global, arguments: { stack }, options }) => {
    const target = stackTarget(stack, global, terminal);
    const { client } = await connect(target, terminal);
    const { out } = options;
    const plan = await makePlan(
      client,
      target,
      options.destroy ? 'destroy' : 'apply',
      { ...options, save: out !== undefined },
      terminal.environment,
    );
    if (global.json) printJson(terminal, plan);
    else await showPlan(plan, terminal, false);
    if (out !== undefined) {
      await savePlan(resolve(terminal.directory, out), plan, (await client.status()).home);
      note(terminal, `Saved. \`sluice apply ${out}\` makes exactly these changes, as long as nothing has moved on.`);
    }
    return hasChanges(plan) ? exitCodes.changes : exitCodes.ok;
  },
});
