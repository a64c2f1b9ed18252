import { resolve } from 'node:path';
import { sluiceError } from '../../errors/sluice-error.ts';
import { applyPlan, applyStack } from '../changing/apply-stack.ts';
import type { PlanWishes } from '../changing/planning.ts';
import { isSavedPlan, loadSavedPlan } from '../changing/saved-plan.ts';
import { defineCommand } from '../command.ts';
import { environment, flag, parallelism, planLimits, reason, stackArgument, variables, yes } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget, stackTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';

export const command = defineCommand({
  description:
    'Prints the plan and carries it out, in parallel where nothing depends on each other, with live progress. Asks first when something would be deleted or replaced. What is applied keeps running in the background; `sluice down` stops it. Ctrl-C cancels the run: what is done stays done, and the next apply does the rest.',
  arguments: [{ ...stackArgument, description: `${stackArgument.description}. Or a plan saved by \`sluice plan -o\`` }],
  options: {
    environment,
    var: variables,
    yes,
    dryRun: flag('Only prints the plan'),
    ...planLimits,
    parallelism,
    reason,
  },
  examples: [
    { command: 'sluice apply iac_config.yaml', comment: 'one file' },
    { command: 'sluice apply --yes --var replicas=3', comment: 'in a script' },
    { command: 'sluice apply release.plan', comment: 'exactly what `sluice plan -o release.plan` showed' },
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
    const saved = stack === undefined ? undefined : resolve(terminal.directory, stack);
    if (saved !== undefined && (await isSavedPlan(saved))) {
      refuseNewWishes(options);
      const { client } = await connect(homeTarget({}, global, terminal), terminal, { reason: options.reason });
      const applied = await applyPlan(client, await loadSavedPlan(saved, client, options), options, terminal, global);
      if (global.json) printJson(terminal, { plan: applied.plan, ...(applied.run && { run: applied.run }) });
      return applied.code;
    }
    const target = stackTarget(stack, global, terminal);
    const connection = await connect(target, terminal, { reason: options.reason });
    const { plan, run, code } = await applyStack(connection, target, 'apply', options, terminal, global);
    if (global.json) printJson(terminal, { plan, ...(run && { run }) });
    return code;
  },
});

/** A saved plan is applied as it is: whatever would make another one is refused. */
function refuseNewWishes(options: PlanWishes): void {
  const { allowDestroy = [], target = [], exclude = [] } = options;
  const lists = { 'allow-destroy': allowDestroy, target, exclude, var: Object.keys(options.var) };
  const given = Object.entries(lists)
    .filter(([, items]) => items.length > 0)
    .map(([name]) => name);
  if (options.allowMassDestroy === true) given.push('allow-mass-destroy');
  if (options.refreshOnly === true) given.push('refresh-only');
  const [first] = given;
  if (first === undefined) return;
  throw sluiceError('usage', { reason: `--${first} makes another plan; a saved one is applied as it is.`, command: 'apply' });
}
