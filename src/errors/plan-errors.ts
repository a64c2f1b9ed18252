import { entry } from './entry.ts';

export const planErrors = {
  plan_refused: entry<{ count: number }>({
    status: 422,
    retry: 'terminal',
    message: ({ count }) => `The stack cannot be planned: ${count} ${count === 1 ? 'error' : 'errors'}.`,
    help: () => 'Correct what is listed and plan again; nothing has been changed.',
  }),
  unsupported_kind: entry<{ kind: string; provider: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ kind, provider }) => `The kind '${kind}' cannot be applied yet: the provider '${provider}' has no engine for it.`,
    help: ({ kind }) => `Take the ${kind} out of this stack, or keep it in a stack that is only validated.`,
  }),
  unsupported_field: entry<{ kind: string; field: string; value?: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ kind, field, value }) =>
      `'${field}'${value === undefined ? '' : ` with the value '${value}'`} of ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind} cannot be applied yet.`,
    help: ({ field }) => `Remove '${field}'; it would be ignored, and Sluice never ignores what a stack declares.`,
  }),
  protected_resource: entry<{ address: string; action: string; reason: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ address, action, reason }) => `The plan would ${action} ${address}, which is protected (${reason}).`,
    help: ({ address }) =>
      `Nothing has been changed. Undo what leads to it, or pass --allow-destroy ${address.split('/').slice(1).join('/')}.`,
  }),
  follows_dependency: entry<{ address: string; dependency: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ address, dependency }) => `${address} is updated as well if the update of ${dependency} changes what it reads.`,
    help: () => '',
  }),
};
