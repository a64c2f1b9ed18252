import type { CommandSpec } from './command.ts';

export interface RegisteredCommand {
  /** Words after `sluice`: `plan`, `key create`. */
  readonly name: string;
  readonly summary: string;
  readonly group: 'Start here' | 'Language' | 'Change' | 'Watch' | 'Operate' | 'This machine';
  /** A command's module is loaded only when it is used. */
  readonly load: () => Promise<{ readonly command: CommandSpec }>;
}

export const registry: readonly RegisteredCommand[] = [
  { name: 'init', group: 'Start here', summary: 'Make a small stack that runs', load: () => import('./commands/init.ts') },
  { name: 'up', group: 'Start here', summary: 'Bring a stack up and stay with it until Ctrl-C', load: () => import('./commands/up.ts') },
  { name: 'down', group: 'Start here', summary: 'Stop everything that runs and keep the data', load: () => import('./commands/down.ts') },

  {
    name: 'validate',
    group: 'Language',
    summary: 'Check a stack and list all that is wrong',
    load: () => import('./commands/validate.ts'),
  },
  { name: 'fmt', group: 'Language', summary: 'Format stack files', load: () => import('./commands/fmt.ts') },
  { name: 'graph', group: 'Language', summary: 'Draw what depends on what', load: () => import('./commands/graph.ts') },
  { name: 'schema', group: 'Language', summary: 'Print the JSON Schema of the language', load: () => import('./commands/schema.ts') },

  { name: 'plan', group: 'Change', summary: 'Show what an apply would change', load: () => import('./commands/plan.ts') },
  { name: 'apply', group: 'Change', summary: 'Make a stack real', load: () => import('./commands/apply.ts') },
  {
    name: 'simulate',
    group: 'Change',
    summary: 'Say how a rollout with a fault would go, before there is one',
    load: () => import('./commands/simulate.ts'),
  },
  { name: 'deploy', group: 'Change', summary: 'Roll one service out and watch it', load: () => import('./commands/deploy.ts') },
  { name: 'destroy', group: 'Change', summary: 'Remove all that a stack made, data included', load: () => import('./commands/destroy.ts') },
  {
    name: 'import',
    group: 'Change',
    summary: 'Take over what exists already as a resource of the stack',
    load: () => import('./commands/import.ts'),
  },
  { name: 'state list', group: 'Change', summary: 'List what is recorded', load: () => import('./commands/state-list.ts') },
  { name: 'state show', group: 'Change', summary: 'Print the record of one resource', load: () => import('./commands/state-show.ts') },
  {
    name: 'state rm',
    group: 'Change',
    summary: 'Forget a resource without touching it',
    load: () => import('./commands/state-rm.ts'),
  },

  { name: 'drift', group: 'Change', summary: 'Find, repair or accept what was changed outside', load: () => import('./commands/drift.ts') },
  { name: 'unlock', group: 'Change', summary: 'Take an environment from a run that hangs', load: () => import('./commands/unlock.ts') },

  { name: 'status', group: 'Watch', summary: 'Show how everything is', load: () => import('./commands/status.ts') },
  { name: 'get', group: 'Watch', summary: 'List resources of a kind', load: () => import('./commands/get.ts') },
  { name: 'describe', group: 'Watch', summary: 'Show all about one resource', load: () => import('./commands/describe.ts') },
  { name: 'logs', group: 'Watch', summary: 'Show what the instances of a service wrote', load: () => import('./commands/logs.ts') },
  {
    name: 'gateway status',
    group: 'Watch',
    summary: 'Show the gateway and the traffic of every release',
    load: () => import('./commands/gateway-status.ts'),
  },
  { name: 'gateway top', group: 'Watch', summary: 'Watch the traffic, busiest first', load: () => import('./commands/gateway-top.ts') },
  {
    name: 'rollout status',
    group: 'Watch',
    summary: 'Show the rollout of a service with its evidence',
    load: () => import('./commands/rollout-status.ts'),
  },
  {
    name: 'rollout history',
    group: 'Watch',
    summary: 'List the rollouts of a service',
    load: () => import('./commands/rollout-history.ts'),
  },
  { name: 'release list', group: 'Watch', summary: 'List the releases of a service', load: () => import('./commands/release-list.ts') },
  { name: 'release show', group: 'Watch', summary: 'Show what a release is made of', load: () => import('./commands/release-show.ts') },
  {
    name: 'release diff',
    group: 'Watch',
    summary: 'Say what changed between two releases',
    load: () => import('./commands/release-diff.ts'),
  },
  { name: 'events', group: 'Watch', summary: 'Show what happened', load: () => import('./commands/events.ts') },
  { name: 'audit', group: 'Watch', summary: 'Show who changed what, and verify the record', load: () => import('./commands/audit.ts') },

  {
    name: 'rollout promote',
    group: 'Operate',
    summary: 'Take a candidate to its next stage',
    load: () => import('./commands/rollout-promote.ts'),
  },
  {
    name: 'rollout pause',
    group: 'Operate',
    summary: 'Hold a rollout where it is',
    load: () => import('./commands/rollout-pause.ts'),
  },
  {
    name: 'rollout resume',
    group: 'Operate',
    summary: 'Let a paused rollout go on',
    load: () => import('./commands/rollout-resume.ts'),
  },
  {
    name: 'rollout abort',
    group: 'Operate',
    summary: 'Give a candidate up',
    load: () => import('./commands/rollout-abort.ts'),
  },
  {
    name: 'rollout retry',
    group: 'Operate',
    summary: 'Try a release that was taken back once more',
    load: () => import('./commands/rollout-retry.ts'),
  },
  {
    name: 'rollout rollback',
    group: 'Operate',
    summary: 'Return to an earlier release',
    load: () => import('./commands/rollout-rollback.ts'),
  },
  { name: 'scale', group: 'Operate', summary: 'Set how many instances a service has', load: () => import('./commands/scale.ts') },
  { name: 'restart', group: 'Operate', summary: 'Replace the instances of a service', load: () => import('./commands/restart.ts') },
  {
    name: 'gateway upgrade',
    group: 'Operate',
    summary: 'Replace the processes of the gateway',
    load: () => import('./commands/gateway-upgrade.ts'),
  },
  {
    name: 'flag list',
    group: 'Operate',
    summary: 'List flags, what they serve and who asks',
    load: () => import('./commands/flag-list.ts'),
  },
  { name: 'flag set', group: 'Operate', summary: 'Serve a variant, whatever the stack says', load: () => import('./commands/flag-set.ts') },
  {
    name: 'flag rollout',
    group: 'Operate',
    summary: 'Give a variant to more and more users, judged by what happens to them',
    load: () => import('./commands/flag-rollout.ts'),
  },
  { name: 'flag kill', group: 'Operate', summary: 'Serve the default to everybody at once', load: () => import('./commands/flag-kill.ts') },
  { name: 'flag history', group: 'Operate', summary: 'Show what a flag has served', load: () => import('./commands/flag-history.ts') },
  { name: 'flag eval', group: 'Operate', summary: 'Say what a user is served, and why', load: () => import('./commands/flag-eval.ts') },
  { name: 'db backup', group: 'Operate', summary: 'Back a database up now', load: () => import('./commands/db-backup.ts') },
  {
    name: 'db backups',
    group: 'Operate',
    summary: 'List the backups of a database and the times it can go back to',
    load: () => import('./commands/db-backups.ts'),
  },
  { name: 'db restore', group: 'Operate', summary: 'Take a database back to a time', load: () => import('./commands/db-restore.ts') },
  { name: 'key create', group: 'Operate', summary: 'Make a key for the API', load: () => import('./commands/key-create.ts') },
  { name: 'key list', group: 'Operate', summary: 'List the keys', load: () => import('./commands/key-list.ts') },
  { name: 'key revoke', group: 'Operate', summary: 'End a key at once', load: () => import('./commands/key-revoke.ts') },

  {
    name: 'state backup',
    group: 'Operate',
    summary: 'Write a complete copy of the state into a file',
    load: () => import('./commands/state-backup.ts'),
  },
  {
    name: 'state restore',
    group: 'Operate',
    summary: 'Put a backup in the place of the state',
    load: () => import('./commands/state-restore.ts'),
  },

  { name: 'doctor', group: 'This machine', summary: 'Say what this machine lacks', load: () => import('./commands/doctor.ts') },
  {
    name: 'completion',
    group: 'This machine',
    summary: 'Print the completion script of a shell',
    load: () => import('./commands/completion.ts'),
  },
  { name: 'version', group: 'This machine', summary: 'Print the version', load: () => import('./commands/version.ts') },
  { name: 'help', group: 'This machine', summary: 'Explain a command or the exit codes', load: () => import('./commands/help.ts') },
];

/** Commands that are only a first word, such as `key`. */
export function groupsOf(commands: readonly RegisteredCommand[]): readonly string[] {
  return [...new Set(commands.filter(({ name }) => name.includes(' ')).map(({ name }) => name.split(' ')[0] as string))];
}
