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
  protected_resource: entry<{
    address: string;
    action: string;
    reason: string;
    why: 'protected' | 'stateful';
    /** What to pass to allow it. */
    flags: readonly string[];
    /** The entry of `moved` that would make it a rename; empty when it does not look like one. */
    hint: string;
    more?: number;
  }>({
    status: 409,
    retry: 'terminal',
    message: ({ address, action, reason, why, more = 0 }) =>
      `The plan would ${action} ${address}, which ${why === 'protected' ? 'is protected' : 'holds data'} (${reason})${more > 0 ? `, and ${more} more like it` : ''}.`,
    help: ({ flags, hint }) =>
      `Nothing has been changed. ${hint === '' ? 'Undo what leads to it' : `It looks like a rename: add \`${hint}\` to the stack`}, or pass ${flags.join(' ')}.`,
  }),
  mass_destroy: entry<{ deleted: number; recorded: number; flags: readonly string[] }>({
    status: 409,
    retry: 'terminal',
    message: ({ deleted, recorded }) =>
      deleted === recorded
        ? `The plan would delete everything there is: ${recorded} ${recorded === 1 ? 'resource' : 'resources'}.`
        : `The plan would delete ${deleted} of ${recorded} resources, more than half.`,
    help: ({ flags }) =>
      `Check that this is the right stack, variables and environment. If it is meant: ${flags.join(' ')}. Nothing has been changed.`,
  }),
  looks_like_rename: entry<{ from: string; to: string; entry: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ from, to }) => `'${to}' looks like a rename of '${from}', which would be deleted.`,
    help: ({ entry: text }) => `If it is one, add \`${text}\` to the stack: the resource then stays what it is.`,
  }),
  not_movable: entry<{ from: string; to: string; kind: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ from, to, kind }) => `'${from}' cannot move to '${to}': the provider makes a ${kind} anew under another name.`,
    help: () => 'The new one is made, then the old one is removed.',
  }),
  unknown_address: entry<{ address: string; environment: string; nearest?: string | undefined }>({
    status: 422,
    retry: 'terminal',
    message: ({ address, environment }) => `There is no '${address}' in ${environment}, neither in the stack nor in what is recorded.`,
    help: ({ nearest }) =>
      nearest === undefined ? 'An address is kind/name; `sluice state list` shows what is recorded.' : `Did you mean '${nearest}'?`,
  }),
  policy_finding: entry<{ rule: string; message: string; place: string; address: string }>({
    status: 403,
    retry: 'terminal',
    message: ({ message, address, rule }) => `${message} (${address}, rule '${rule}')`,
    help: ({ place }) => `The rule stands at ${place}.`,
  }),
  policy_denied: entry<{ count: number }>({
    status: 403,
    retry: 'terminal',
    message: ({ count }) => `The plan is denied by the rules of the stack: ${count} ${count === 1 ? 'finding' : 'findings'}.`,
    help: () => 'Change what the rules speak of, or the rules in policies/plan; nothing has been changed.',
  }),
  drift_not_recorded: entry<{ address: string; field: string; observed: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ address, field, observed }) => `${address}: ${field} is ${observed}, which a record has no place for.`,
    help: () => 'An apply without --refresh-only repairs it.',
  }),
  import_undeclared: entry<{ address: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ address }) => `'${address}' is not declared, so nothing can be taken over as it.`,
    help: () => 'Declare the block in the stack first; the import gives it what is there already.',
  }),
  import_managed: entry<{ address: string; id: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ address, id }) => `'${address}' is managed already, as ${id}.`,
    help: () => '`sluice state rm` makes Sluice forget it without touching it.',
  }),
  import_unsupported: entry<{ kind: string; provider: string; reason: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ kind, provider, reason }) => `A ${kind} cannot be taken over by the provider '${provider}': ${reason}.`,
    help: () => 'Declare it and let it be made; nothing has been changed.',
  }),
  import_not_found: entry<{ kind: string; id: string; known: readonly string[] }>({
    status: 404,
    retry: 'terminal',
    message: ({ kind, id }) => `There is no ${kind} with the id '${id}' to take over.`,
    help: ({ known }) => (known.length === 0 ? 'The provider knows none.' : `It knows ${known.slice(0, 10).join(', ')}.`),
  }),
  follows_dependency: entry<{ address: string; dependency: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ address, dependency }) => `${address} is updated as well if the update of ${dependency} changes what it reads.`,
    help: () => '',
  }),
};
