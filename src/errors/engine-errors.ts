import { entry } from './entry.ts';

export const engineErrors = {
  output_unavailable: entry<{ expression: string; reason: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ expression, reason }) => `${expression} has no value: ${reason}.`,
    help: () => 'Apply the stack so that the resource exists, then try again.',
  }),
  environment_busy: entry<{ environment: string; holder: string }>({
    status: 409,
    retry: 'wait',
    message: ({ environment, holder }) => `Another control plane (${holder}) is changing ${environment}.`,
    help: () => 'Wait until it has finished; a control plane that died gives way by itself.',
  }),
  lease_lost: entry<{ environment: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ environment }) => `Another control plane has taken over ${environment}; this one changes nothing more there.`,
    help: () => 'Plan again and see what is left to do.',
  }),
  change_skipped: entry<{ address: string; cause: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ address, cause }) => `${address} was left as it is because ${cause}.`,
    help: () => 'Correct the cause and apply again: what is done stays done, the rest follows.',
  }),
  simulated_throttling: entry<{ address: string }>({
    status: 503,
    retry: 'retry',
    message: ({ address }) => `The simulated provider turned a call for ${address} away: too many calls.`,
    help: () => 'Try again a little later.',
  }),
  simulated_failure: entry<{ address: string; call: string }>({
    status: 502,
    retry: 'terminal',
    message: ({ address, call }) => `The simulated provider failed to ${call} ${address}, as its seed says.`,
    help: () => 'Apply again.',
  }),
  simulated_quota: entry<{ kind: string; limit: number }>({
    status: 409,
    retry: 'terminal',
    message: ({ kind, limit }) => `The simulated provider's quota of ${limit} for ${kind} is used up.`,
    help: () => 'Remove a resource of this kind or raise the quota.',
  }),
};
