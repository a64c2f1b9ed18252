import { entry } from './entry.ts';

export const cliErrors = {
  usage: entry<{ reason: string; command?: string; nearest?: string }>({
    status: 400,
    retry: 'terminal',
    message: ({ reason }) => reason,
    help: ({ command, nearest }) =>
      nearest === undefined ? `See \`sluice help${command ? ` ${command}` : ''}\`.` : `Did you mean '${nearest}'?`,
  }),
  confirmation_required: entry<{ question: string }>({
    status: 400,
    retry: 'terminal',
    message: ({ question }) => `This needs an answer and there is no terminal to ask: ${question}`,
    help: () => 'Pass --yes to agree beforehand. Nothing has been changed.',
  }),
  declined: entry<Record<string, never>>({
    status: 400,
    retry: 'terminal',
    message: () => 'Nothing has been changed.',
    help: () => '',
  }),
  home_not_found: entry<{ from: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ from }) => `There is no Sluice home (.sluice) in ${from} or above it.`,
    help: () => 'Change to the folder of a stack, name it with --stack, or start one with `sluice up`.',
  }),
  not_applied: entry<{ kind: string; name: string; known: readonly string[]; nearest?: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ kind, name, known }) =>
      `There is no ${kind} '${name}'${known.length === 0 ? '; nothing of that kind has been applied' : `, but ${known.join(', ')}`}.`,
    help: ({ nearest, known }) =>
      nearest !== undefined
        ? `Did you mean '${nearest}'?`
        : known.length > 0
          ? 'Name one of these.'
          : '`sluice get all` lists what there is.',
  }),
  stack_refused: entry<{ count: number }>({
    status: 422,
    retry: 'terminal',
    message: ({ count }) => `The stack is not valid: ${count} ${count === 1 ? 'error' : 'errors'}.`,
    help: () => 'Correct what is listed above.',
  }),
  nothing_to_format: entry<{ path: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ path }) => `There is no YAML file in '${path}'.`,
    help: () => 'Name a YAML file or a folder that holds one.',
  }),
  scaffold_conflict: entry<{ files: readonly string[] }>({
    status: 409,
    retry: 'terminal',
    message: ({ files }) => `${files.join(', ')} ${files.length === 1 ? 'is' : 'are'} there already, and init never overwrites.`,
    help: () => 'Name another folder: `sluice init my-stack`.',
  }),
  control_plane_unreachable: entry<{ reason: string }>({
    status: 503,
    retry: 'retry',
    message: ({ reason }) => `The control plane does not answer: ${reason}`,
    help: () => 'Run the command again; it starts a control plane when none runs. `sluice doctor` says what this machine lacks.',
  }),
  run_failed: entry<{ failed: number; skipped: number }>({
    status: 500,
    retry: 'retry',
    message: ({ failed, skipped }) =>
      `${failed} ${failed === 1 ? 'change' : 'changes'} failed${skipped > 0 ? ` and ${skipped} ${skipped === 1 ? 'was' : 'were'} skipped because of it` : ''}.`,
    help: () => 'What succeeded is kept. Correct the cause and apply again: only what is missing will be done.',
  }),
  interrupted: entry<{ what: string }>({
    status: 499,
    retry: 'terminal',
    message: ({ what }) => `Interrupted: ${what}`,
    help: () => '',
  }),
  saved_plan_unusable: entry<{ file: string; reason: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ file, reason }) => `The saved plan ${file} cannot be used: ${reason}.`,
    help: () => 'Plan again with `sluice plan -o FILE`; nothing has been changed.',
  }),
  file_in_the_way: entry<{ file: string; reason: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ file, reason }) => `The plan is not written to ${file}: ${reason}.`,
    help: () => 'Name another file.',
  }),
};
