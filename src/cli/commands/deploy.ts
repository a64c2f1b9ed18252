import { sluiceError } from '../../errors/sluice-error.ts';
import { applyStack } from '../changing/apply-stack.ts';
import { defineCommand } from '../command.ts';
import { environment, flag, reason, stackArgument, stackOption, text, variables, yes } from '../options.ts';
import { connect } from '../target/connect.ts';
import { stackTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';

export const command = defineCommand({
  description:
    'Plans and applies one service of the stack and what it needs, and watches its rollout to the end. Ctrl-C leaves the rollout to go on by itself. What is given with --env, --source or --image holds until the stack is applied without it.',
  arguments: [{ name: 'service', description: 'Name of a service of the stack', required: true }],
  options: {
    environment,
    stack: { ...stackOption, description: stackArgument.description },
    var: variables,
    env: { ...variables, value: 'NAME=VALUE', description: 'Sets an environment variable of the service; can be repeated' },
    source: text('folder', 'Takes the code from this folder of the stack instead', { completes: 'folders' }),
    image: text('reference', 'Takes the code, and its command unless the stack has one for an image, from a container image instead'),
    dryRun: flag('Only prints the plan'),
    yes,
    reason,
  },
  examples: [
    { command: 'sluice deploy chat', comment: 'what the stack says' },
    { command: 'sluice deploy chat --env LOG_LEVEL=debug', comment: 'with one variable changed' },
    {
      command: 'sluice deploy chat --source experiments/chat --dry-run',
      comment: 'what other code would change, and how it would be rolled out',
    },
    { command: 'sluice deploy chat --image registry.example.com/chat:1.4', comment: 'with the code of an image' },
    { command: 'sluice deploy chat -e production --reason "new prompt"', comment: 'into one environment' },
  ],
  exitCodes: {
    0: 'in use, or nothing to change',
    1: 'taken back, with the evidence in words',
    2: '--dry-run: there are changes',
    130: 'left by Ctrl-C: the rollout goes on',
  },
  run: async ({ terminal, global, arguments: { service }, options }) => {
    if (options.image !== undefined && options.source !== undefined) {
      throw sluiceError('usage', { reason: 'The code comes from --source or from --image, not from both.', command: 'deploy' });
    }
    const target = stackTarget(options.stack, global, terminal);
    const connection = await connect(target, terminal, { reason: options.reason });
    const { env, source, image, ...wishes } = options;
    const isOverridden = Object.keys(env).length > 0 || source !== undefined || image !== undefined;
    const from = { ...(source !== undefined && { source }), ...(image !== undefined && { image }) };
    const overrides = isOverridden ? { service, env, ...from } : undefined;
    const order = { ...wishes, target: [`service/${service}`], overrides, onInterrupt: 'leave' as const };
    const { plan, run, end, code } = await applyStack(connection, target, 'apply', order, terminal, global);
    if (end === 'unchanged' && (await connection.client.getService(plan.environment, service)).rollout) {
      note(terminal, `It is being rolled out at this moment; \`sluice rollout status ${service} -w\` watches it.`);
    }
    if (global.json) printJson(terminal, { plan, ...(run && { run }) });
    return code;
  },
});
