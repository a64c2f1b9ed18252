import { entry } from './entry.ts';

export const flagErrors = {
  unknown_flag: entry<{ environment: string; name: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ environment, name }) => `There is no flag '${name}' in '${environment}'.`,
    help: () => '`sluice flag list` shows the flags that have been applied.',
  }),
  unknown_variant: entry<{ flag: string; variant: string; known: readonly string[] }>({
    status: 422,
    retry: 'terminal',
    message: ({ flag, variant }) => `The flag '${flag}' has no variant '${variant}'.`,
    help: ({ known }) => `It has ${known.slice(0, 20).join(', ')}; another one has to be added in the stack.`,
  }),
  flag_not_overridden: entry<{ flag: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ flag }) => `The flag '${flag}' is as its stack says already.`,
    help: () => 'There is nothing to clear.',
  }),
  flag_rollout_running: entry<{ flag: string; variant: string }>({
    status: 409,
    retry: 'wait',
    message: ({ flag, variant }) => `The flag '${flag}' is being rolled out to '${variant}' already.`,
    help: ({ flag }) => `\`sluice flag rollout ${flag}\` shows it, \`sluice flag rollout ${flag} --stop\` takes it back.`,
  }),
  no_flag_rollout: entry<{ flag: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ flag }) => `The flag '${flag}' has not been rolled out step by step.`,
    help: ({ flag }) => `\`sluice flag rollout ${flag} VARIANT --service SERVICE\` begins one.`,
  }),
  flag_rollout_impossible: entry<{ flag: string; reason: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ flag, reason }) => `The flag '${flag}' cannot be rolled out step by step: ${reason}.`,
    help: () => '`sluice flag set` changes it at once; docs/flags.md says what a rollout compares.',
  }),
  flag_busy: entry<{ environment: string; name: string }>({
    status: 409,
    retry: 'retry',
    message: ({ environment, name }) => `The flag '${name}' of '${environment}' is being changed by others over and over.`,
    help: () => 'Try again.',
  }),
  invalid_evaluation_context: entry<{ reason: string }>({
    status: 400,
    retry: 'terminal',
    message: ({ reason }) => `The context cannot be used: ${reason}`,
    help: () => 'A context is an object of attributes: `--user ann --attribute plan=pro`.',
  }),
  too_many_evaluations: entry<{ seconds: number }>({
    status: 429,
    retry: 'wait',
    message: ({ seconds }) => `Too many requests: the next one is answered in ${seconds} seconds.`,
    help: () => 'Fetch all flags at once and keep them until a change event comes, instead of asking for each user and flag.',
  }),
  environment_forbidden: entry<{ environment: string }>({
    status: 403,
    retry: 'terminal',
    message: ({ environment }) => `This key or token does not belong to the environment '${environment}'.`,
    help: () => 'Leave the header X-Sluice-Environment out, or use a key for that environment.',
  }),
  environment_unclear: entry<Record<string, never>>({
    status: 400,
    retry: 'terminal',
    message: () => 'This key is not bound to one environment, and not exactly one has flags.',
    help: () =>
      'Name it in the header X-Sluice-Environment, or make a bound key: `sluice key create NAME --role evaluator --environment ENVIRONMENT`.',
  }),
  flag_overridden: entry<{ flag: string; serves: string; by: string; at: string; reason?: string | undefined }>({
    status: 200,
    retry: 'terminal',
    message: ({ flag, serves, by, at, reason }) =>
      `The flag '${flag}' serves ${serves}, by ${by} since ${at}${reason === undefined ? '' : ` (${reason})`}. An apply leaves that as it is.`,
    help: ({ flag }) => `\`sluice flag set ${flag} --clear\` lets the stack decide again.`,
  }),
  flag_override_orphaned: entry<{ flag: string; variant: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ flag, variant }) => `The flag '${flag}' was set to '${variant}' by hand, and the stack no longer has that variant.`,
    help: ({ flag }) => `Keep the variant, or let the stack decide again first: \`sluice flag set ${flag} --clear\`.`,
  }),
  flag_override_lost: entry<{ flag: string; serves: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ flag, serves }) => `The flag '${flag}' was set by hand to serve ${serves}; that goes with it.`,
    help: () => '',
  }),
  flag_in_use: entry<{ flag: string; at: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ flag, at }) => `The flag '${flag}' was evaluated at ${at}: programs that still ask for it get the default in their code.`,
    help: () => 'Take it out of the code first; `sluice flag list` shows which releases ask for it.',
  }),
  flag_stale: entry<{ flag: string; reason: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ flag, reason }) => `The flag '${flag}' looks stale: ${reason}.`,
    help: () => 'Take it out of the code, then out of the stack.',
  }),
  flag_rule_unreachable: entry<{ flag: string; rule: number; after: number }>({
    status: 200,
    retry: 'terminal',
    message: ({ flag, rule, after }) => `Rule ${rule} of the flag '${flag}' is never reached: rule ${after} holds for everyone.`,
    help: () => 'Rules are tried in order; put the one without `when` last.',
  }),
  flag_value_foreign: entry<{ flag: string; path: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ flag, path }) => `'${path}' of the flag '${flag}' reads an output or a secret.`,
    help: () => 'Values of flags are given to every client that asks: write them out, or use a variable of the stack.',
  }),
};
