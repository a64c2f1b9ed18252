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
    help: ({ environment }) =>
      `Wait until it has finished; one that died gives way by itself within 30 s. \`sluice unlock -e ${environment}\` takes it away from one that hangs.`,
  }),
  not_locked: entry<{ environment: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ environment }) => `Nobody is changing ${environment}.`,
    help: () => 'There is nothing to unlock; apply again.',
  }),
  lock_changed: entry<{ environment: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ environment }) => `Someone else is changing ${environment} by now, not the one that was shown.`,
    help: () => 'Look again who it is; nothing has been changed.',
  }),
  nothing_drifted: entry<{ environment: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ environment }) => `Everything in ${environment} is as it was applied; there is nothing to repair.`,
    help: () => '',
  }),
  lease_lost: entry<{ environment: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ environment }) =>
      `${environment} was taken away, by an unlock or by another control plane; nothing more is changed there from here.`,
    help: () => 'What was under way at that moment is continued by the next apply. Plan again and see what is left to do.',
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
