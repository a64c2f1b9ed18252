import { entry } from './entry.ts';

// An alias and not an interface: the declarations of the catalogue spell it out.
type VersionFindings = {
  readonly service: string;
  readonly from: string;
  readonly to: string;
  /** The bump that says enough, and the lowest version that has it. */
  readonly needed: string;
  readonly lowest: string;
  readonly changes: readonly string[];
};

/** Errors of releases, instances and rollouts. */
export const serviceErrors = {
  scaled_by_load: entry<{ service: string; min: number; max: number }>({
    status: 409,
    retry: 'terminal',
    message: ({ service, min, max }) => `The number of instances of '${service}' is decided by load, between ${min} and ${max}.`,
    help: () => 'Change `scaling` in the stack; without it, `replicas` and `sluice scale` say how many there are.',
  }),
  unknown_service: entry<{ address: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ address }) => `There is no service '${address}'.`,
    help: () => '`sluice status` lists the services of every environment.',
  }),
  service_not_declared: entry<{ service: string; names: readonly string[] }>({
    status: 404,
    retry: 'terminal',
    message: ({ service }) => `The stack declares no service '${service}'.`,
    help: ({ names }) => (names.length > 0 ? `It declares ${names.join(', ')}.` : 'It declares no service at all.'),
  }),
  no_rollout: entry<{ service: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ service }) => `No release of '${service}' is being rolled out.`,
    help: () => '`sluice rollout status SERVICE` says what is in use; `sluice deploy SERVICE` rolls out what the stack says.',
  }),
  rollout_waits_for_approval: entry<{ service: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ service }) => `The rollout of '${service}' is not paused: it waits until somebody agrees to it.`,
    help: () => '`sluice rollout promote SERVICE` agrees, `sluice rollout abort SERVICE` goes back.',
  }),
  rollout_has_no_stages: entry<{ service: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ service }) => `The rollout of '${service}' has no stages to be promoted through: it replaces instances as fast as it may.`,
    help: () => '`sluice rollout abort SERVICE` goes back; only canary and blue_green go by stages.',
  }),
  experiment_has_no_arm: entry<{ service: string; arm: string; arms: readonly string[] }>({
    status: 409,
    retry: 'terminal',
    message: ({ service, arm, arms }) =>
      arms.length === 0
        ? `No experiment with arms is being made with '${service}'.`
        : `The experiment of '${service}' has no arm '${arm}'.`,
    help: ({ arms }) =>
      arms.length === 0 ? '`sluice rollout status SERVICE` says where its rollout is.' : `Its arms are ${arms.join(', ')}.`,
  }),
  experiment_arm_withdrawn: entry<{ service: string; arm: string; reason: string; arms: readonly string[] }>({
    status: 409,
    retry: 'terminal',
    message: ({ service, arm, reason }) => `The arm '${arm}' was withdrawn from the experiment of '${service}': ${reason}.`,
    help: ({ arms }) => `${arms.join(', ')} can be promoted with --arm; \`sluice rollout abort\` goes back to stable.`,
  }),
  experiment_arms_alike: entry<{ service: string; one: string; other: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, one, other }) => `The arms ${one} and ${other} of the experiment of '${service}' are one and the same release.`,
    help: () => 'Change something about one of them, or remove it.',
  }),
  experiment_arm_in_use: entry<{ service: string; arm: string; release: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ service, arm, release }) =>
      `'${service}' runs ${release}, the arm ${arm} that was promoted, and not what is declared without it.`,
    help: ({ arm }) => `Write what ${arm} has into the service and remove the experiment: it is the same release then.`,
  }),
  release_taken_back: entry<{
    service: string;
    release: string;
    reason: string;
    runs: string;
    at?: string;
    isTriedAgain: 'no' | 'yes' | 'unless same';
  }>({
    status: 200,
    retry: 'terminal',
    message: ({ service, release, reason, runs, at, isTriedAgain }) => {
      const again = isTriedAgain === 'yes' && 'it is tried again, because its rollout or the settings of its instances have changed since';
      const depends = isTriedAgain === 'unless same' && 'it is not tried again while nothing about it or its way has changed';
      const applied = again || depends || 'it is not tried again as it is: an apply of it fails and changes nothing';
      return `The release ${release} of '${service}' was taken back${at === undefined ? '' : ` at ${at}`} (${reason}). ${runs} runs, and ${applied}.`;
    },
    help: ({ service, isTriedAgain }) =>
      isTriedAgain === 'yes' ? '' : `Change what was wrong, or try it once more with \`sluice rollout retry ${service}\`.`,
  }),
  service_returned: entry<{ service: string; release: string; from: string; by: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ service, release, from, by }) =>
      `'${service}' runs ${release}, to which ${by} went back from ${from}; the stack still declares ${from}, and an apply does not bring it back.`,
    help: ({ service, from }) =>
      `Declare what runs, or change something to have it rolled out as a new release; \`sluice rollout rollback ${service} --to ${from}\` takes it into use as it was.`,
  }),
  rollout_moved_on: entry<{ service: string; release: string; stage: number; seen: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ service, release, stage, seen }) =>
      `The rollout of '${service}' is not what you have seen: ${release} is at stage ${stage}, and ${seen} was to be promoted.`,
    help: () => '`sluice rollout status SERVICE` shows what is there now; promote that, if you still want to.',
  }),
  idempotency_key_reused: entry<{ service: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ service }) => `The Idempotency-Key was used for '${service}' before, to ask for something else.`,
    help: () => 'Send a new key with each new wish, and the same one only when you send the same request again.',
  }),
  release_not_kept: entry<{ service: string; release: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ service, release }) => `'${service}' cannot return to the release ${release}: it is not kept, or never was in use.`,
    help: () => '`sluice release list SERVICE` shows as `kept` those it can return to.',
  }),
  rollout_nothing_to_retry: entry<{ service: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ service }) => `There is nothing to retry: no rollout of '${service}' has failed last, or another one is under way.`,
    help: () =>
      '`sluice rollout status SERVICE` says what is under way, `sluice rollout history SERVICE` what has happened; `sluice deploy SERVICE` rolls out what the stack says.',
  }),
  ambiguous_release: entry<{ service: string; release: string; found: readonly string[] }>({
    status: 409,
    retry: 'terminal',
    message: ({ service, release, found }) =>
      `'${release}' may be any of several releases of the service '${service}': ${found.join(', ')}.`,
    help: () => 'Write more of the id.',
  }),
  unknown_release: entry<{ service: string; release: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ service, release }) => `The service '${service}' has no release '${release}'.`,
    help: ({ service }) => `\`sluice release list ${service.split('/').at(-1)}\` lists those that are kept: the last ten and those in use.`,
  }),
  nothing_to_compare: entry<{ service: string; release: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ service, release }) => `${release} is the oldest release of '${service}' that is kept: there is none before it.`,
    help: () => 'Name two releases.',
  }),
  service_path_outside: entry<{ service: string; field: string; path: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, field, path }) => `The ${field} '${path}' of the service '${service}' leads out of the stack's folder.`,
    help: () => 'Name a path inside the folder of the stack; symbolic links are followed.',
  }),
  service_path_missing: entry<{ service: string; field: string; path: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, field, path }) => `The ${field} '${path}' of the service '${service}' does not exist.`,
    help: () => 'Paths are relative to the folder of the stack. Create it, or correct the path.',
  }),
  service_path_wrong_type: entry<{ service: string; field: string; path: string; expected: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, field, path, expected }) => `The ${field} '${path}' of the service '${service}' is not ${expected}.`,
    help: ({ expected }) => `Name ${expected}.`,
  }),
  preview_host_refused: entry<{ service: string; host: string; reason: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, host, reason }) => `The service '${service}' cannot be previewed at ${host}: ${reason}.`,
    help: () =>
      'Give the preview a host name of its own, and the service an `expose`; the header x-sluice-release reaches a candidate without either.',
  }),
  reserved_variable: entry<{ service: string; variable: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, variable }) => `The service '${service}' declares the variable ${variable}, which Sluice sets itself.`,
    help: () => 'Choose another name: PORT, HOST and everything that starts with SLUICE_ are given to each instance.',
  }),
  source_shows_secret: entry<{ service: string; source: string; text: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ service, source, text }) => `The source '${source}' of the service '${service}' would show ${text}, which is secret.`,
    help: () =>
      'Only `authorization` may hold a secret: URLs and queries end up in the logs of others, arguments in the list of processes.',
  }),
  content_too_large: entry<{ path: string; limit: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ path, limit }) => `'${path}' is more than a release may hold: ${limit}.`,
    help: () => 'Keep data and build output out of the source folder; `.git`, `.sluice` and `node_modules` are never part of a release.',
  }),
  content_link_outside: entry<{ path: string; target: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ path, target }) => `The symbolic link '${path}' leads out of its release (to '${target}').`,
    help: () => 'Replace the link by a copy, or by a relative link to something inside the same folder.',
  }),
  content_unreadable: entry<{ path: string; reason: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ path, reason }) => `'${path}' cannot be read: ${reason}.`,
    help: () => 'Check that it exists and that you may read it.',
  }),
  source_changed_since_plan: entry<{ service: string; part: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ service, part }) => `The ${part} of the service '${service}' has changed since the plan was made.`,
    help: () => 'Plan again; nothing of this service has been changed.',
  }),
  api_reference_not_followed: entry<{ service: string; path: string; references: readonly string[] }>({
    status: 200,
    retry: 'terminal',
    message: ({ service, path, references }) =>
      `References in '${path}' of the service '${service}' lead to another file or nowhere, and are not followed: ${references.join(', ')}.`,
    help: () => 'Changes behind them are not found: bundle the description into one file.',
  }),
  api_not_compared: entry<{ service: string; path: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ service, path }) =>
      `'${path}' of the service '${service}' cannot be read as an OpenAPI description of version 3.0 or 3.1: breaking changes will not be found.`,
    help: () => 'Correct the description (well-formed, at most 256 KiB, 400 levels deep), or remove the field `api`.',
  }),
  breaking_api_change: entry<VersionFindings>({
    status: 422,
    retry: 'terminal',
    message: ({ service, from, to, changes }) =>
      `The API of the service '${service}' breaks from ${from} to ${to}:\n${changes.map((change) => `  - ${change}`).join('\n')}`,
    help: ({ lowest }) => `Give it the version ${lowest} or a later one, or keep to what clients of the stable release rely on.`,
  }),
  version_too_low: entry<VersionFindings>({
    status: 200,
    retry: 'terminal',
    message: ({ service, from, to, needed, changes }) =>
      `The API of the service '${service}' has grown, which is a ${needed} version and not ${from} to ${to}:\n${changes.map((change) => `  - ${change}`).join('\n')}`,
    help: ({ lowest }) => `${lowest} would say so.`,
  }),
  version_unchanged: entry<{ service: string; from: string; lowest: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ service, from }) => `The service '${service}' has changed, and its version is still ${from}.`,
    help: ({ lowest }) => `${lowest} would tell the two apart.`,
  }),
  release_risk: entry<{ service: string; stable: string; level: string; reasons: readonly string[] }>({
    status: 200,
    retry: 'terminal',
    message: ({ service, stable, level, reasons }) =>
      `The new release of '${service}' is of ${level} risk beside ${stable}: ${reasons.join('; ')}.`,
    help: () => '',
  }),
  instance_start_failed: entry<{ instance: string; program: string; reason: string }>({
    status: 502,
    retry: 'retry',
    message: ({ instance, program, reason }) => `The instance '${instance}' could not be started: '${program}': ${reason}.`,
    help: () => "The first word of `command` is looked up on the instance's PATH: Node's own folder, /usr/local/bin, /usr/bin and /bin.",
  }),
  service_state_damaged: entry<{ address: string }>({
    status: 500,
    retry: 'terminal',
    message: ({ address }) => `What is stored of the service '${address}' cannot be understood.`,
    help: () => 'It is left alone, its instances run on; the other services are not affected. Restore the state database from a backup.',
  }),
  service_state_conflict: entry<{ address: string }>({
    status: 409,
    retry: 'retry',
    message: ({ address }) => `The service '${address}' is being changed by something else at the same time.`,
    help: () => 'Try again.',
  }),
  rollout_failed: entry<{ service: string; release: string; reason: string; log: string }>({
    status: 502,
    retry: 'terminal',
    message: ({ service, release, reason, log }) =>
      `The release ${release} of '${service}' was not taken into use: ${reason}.${log === '' ? '' : `\nIts last output:\n${log}`}`,
    help: ({ service }) =>
      `What ran before still runs. \`sluice logs ${service.split('/').at(-1)}\` shows more; correct the service and apply again.`,
  }),
  release_failed_before: entry<{ service: string; release: string; reason: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ service, release, reason }) =>
      `The release ${release} of '${service}' was taken back before and is not tried again: ${reason}.`,
    help: ({ service }) =>
      `Change something about it, or try it once more with \`sluice rollout retry ${service.split('/').at(-1)}\`. What ran before still runs.`,
  }),
  rollout_superseded: entry<{ service: string; release: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ service, release }) => `The rollout of ${release} to '${service}' was superseded by a later change.`,
    help: () => '`sluice status` shows what is being rolled out now.',
  }),
  service_does_not_stop: entry<{ service: string; reason: string }>({
    status: 504,
    retry: 'terminal',
    message: ({ service, reason }) => `The service '${service}' does not stop: ${reason.replace(/\.$/, '')}.`,
    help: () => 'Remove the cause and try again; `sluice down` ends by force what does not end by itself.',
  }),
  rollout_wait_cancelled: entry<{ service: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ service }) => `Waiting for '${service}' was cancelled.`,
    help: () => 'The service goes on towards its desired state; apply again to wait for it.',
  }),
};
