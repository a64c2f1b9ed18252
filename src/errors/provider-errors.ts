import { entry } from './entry.ts';

export const providerErrors = {
  not_enforced: entry<{ kind: string; field: string; reason: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ kind, field, reason }) => `'${field}' of the ${kind} is recorded, not enforced: ${reason}.`,
    help: () => '',
  }),
  enforced_differently: entry<{ field: string; how: string }>({
    status: 200,
    retry: 'terminal',
    message: ({ field, how }) => `'${field}' on this machine: ${how}.`,
    help: () => '',
  }),
  local_failure: entry<{ address: string; action: string; reason: string }>({
    status: 500,
    retry: 'retry',
    message: ({ address, action, reason }) => `Could not ${action} ${address}: ${reason}`,
    help: () => 'Look at the reason; the change is tried again, and starts from what is there.',
  }),
  local_record_unreadable: entry<{ address: string; file: string }>({
    status: 500,
    retry: 'terminal',
    message: ({ address, file }) => `The record of ${address} in ${file} cannot be read.`,
    help: ({ file }) => `Restore ${file} from a backup, or remove it: the resource is then made anew around the data that is there.`,
  }),
  local_key_unusable: entry<{ file: string }>({
    status: 500,
    retry: 'terminal',
    message: ({ file }) => `The key in ${file} is damaged: generated passwords cannot be derived from it.`,
    help: ({ file }) => `Restore ${file} from a backup. Without it, destroy the resources that have generated values and remove the file.`,
  }),
  local_name_unusable: entry<{ name: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ name }) => `'${name}' cannot name anything on this machine.`,
    help: () => 'Use lower-case letters, digits and hyphens, at most 63 of them.',
  }),
  unknown_machine_size: entry<{ size: string; nearest: readonly string[] }>({
    status: 422,
    retry: 'terminal',
    message: ({ size }) => `There is no machine size '${size}'.`,
    help: ({ nearest }) => `The nearest sizes are ${nearest.join(', ')}.`,
  }),
  machine_overcommitted: entry<{ machine: string; resource: string; needed: string; available: string; services: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ machine, resource, needed, available, services }) =>
      `The services on '${machine}' need ${needed} of ${resource} and it has ${available}: ${services}.`,
    help: ({ machine }) => `Give '${machine}' a larger size, lower 'replicas' or 'resources', or run some of them on another machine.`,
  }),
  machine_busy: entry<{ machine: string; group: string }>({
    status: 409,
    retry: 'retry',
    message: ({ machine, group }) => `Processes on '${machine}' would not end: ${group} is still in use.`,
    help: ({ group }) => `Look at the processes listed in ${group}/cgroup.procs.`,
  }),
  database_version_unavailable: entry<{ version: string; available: readonly string[]; install: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ version, available }) =>
      `PostgreSQL ${version} is not on this machine; ${available.length === 0 ? 'no version is' : `there is ${available.join(', ')}`}.`,
    help: ({ install }) => `Get it with ${install}, or declare a version that is there.`,
  }),
  unknown_database_sku: entry<{ sku: string; examples: readonly string[] }>({
    status: 422,
    retry: 'terminal',
    message: ({ sku }) => `There is no database size '${sku}'.`,
    help: ({ examples }) => `Use a tier and its vCPUs, such as ${examples.join(', ')}.`,
  }),
  database_not_started: entry<{ name: string; reason: string }>({
    status: 503,
    retry: 'retry',
    message: ({ name, reason }) => `The PostgreSQL server of '${name}' did not start: ${reason}`,
    help: () => 'The reason is from its log; the change is tried again.',
  }),
  database_not_initialised: entry<{ name: string; reason: string }>({
    status: 500,
    retry: 'retry',
    message: ({ name, reason }) => `The data of '${name}' could not be initialised: ${reason}`,
    help: () => 'Look at free space and at the rights of the folder; the change is tried again from the beginning.',
  }),
  database_data_in_the_way: entry<{ name: string; folder: string; reason: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ name, folder, reason }) => `'${name}' cannot be created: ${folder} holds data ${reason}.`,
    help: ({ folder }) => `Sluice removes no data it was not told to remove: move ${folder} away, or back to where it came from.`,
  }),
  database_backups_go_too: entry<{ name: string; backups: number }>({
    status: 200,
    retry: 'terminal',
    message: ({ name, backups }) =>
      `With '${name}' go its backups: ${backups} base ${backups === 1 ? 'backup' : 'backups'} and the archived log. Nothing can be restored after that.`,
    help: () => '',
  }),
  database_not_kept: entry<{ address: string; provider: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ address, provider }) => `No backups are kept of ${address} by the provider '${provider}'.`,
    help: () => 'Backups and restores are there for databases of the provider `local`.',
  }),
  database_busy: entry<{ name: string; kind: string; operation: string }>({
    status: 409,
    retry: 'wait',
    message: ({ name, kind, operation }) => `A ${kind} of '${name}' is under way (${operation}).`,
    help: () => 'Wait until it is over; `sluice events -f` shows how it goes.',
  }),
  unknown_database_operation: entry<{ id: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ id }) => `There is no backup or restore '${id}' of this database.`,
    help: () => '`sluice events` shows what was begun.',
  }),
  database_operation_interrupted: entry<{ kind: string }>({
    status: 500,
    retry: 'retry',
    message: ({ kind }) => `The control plane ended during the ${kind}.`,
    help: () => 'The database is what it was before. Begin again.',
  }),
  database_not_running: entry<{ name: string; action: string }>({
    status: 409,
    retry: 'wait',
    message: ({ name, action }) => `'${name}' cannot be ${action}: its server does not run.`,
    help: () => 'Apply the stack, or look at `sluice events` for what keeps the server from running.',
  }),
  database_backups_off: entry<{ name: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ name }) => `'${name}' keeps no backups: its 'backup_retention_days' is 0.`,
    help: () => 'Declare how many days backups are kept, and apply.',
  }),
  database_backup_failed: entry<{ name: string; reason: string }>({
    status: 500,
    retry: 'retry',
    message: ({ name, reason }) => `The base backup of '${name}' failed: ${reason}.`,
    help: () => 'Look at free space, and at the rights of the folder `archive` beside the data; backups made before stay as they are.',
  }),
  database_tablespaces: entry<{ path: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ path }) => `The data holds what lies outside of it (${path}), and would not be whole in a backup.`,
    help: () => 'Move tables from tablespaces of their own back to `pg_default`, and remove links from the data folder.',
  }),
  database_no_backup: entry<{ name: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ name }) => `'${name}' cannot be restored: no base backup of it has been made.`,
    help: ({ name }) => `\`sluice db backup ${name}\` makes one; what it held before that cannot be brought back.`,
  }),
  database_restore_too_early: entry<{ name: string; to: string; earliest: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ name, to, earliest }) => `'${name}' cannot go back to ${to}: its backups begin at ${earliest}.`,
    help: ({ name }) => `\`sluice db backups ${name}\` lists the times that can be restored.`,
  }),
  database_restore_in_future: entry<{ name: string; to: string; now: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ name, to, now }) => `'${name}' cannot go to ${to}: that is in the future (it is ${now}).`,
    help: () => 'Give a time that has passed, with its zone (`Z` for UTC), or `latest`.',
  }),
  database_time_unreadable: entry<{ given: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ given }) => `'${given}' is not a time.`,
    help: () => 'Write it as in RFC 3339, with its zone: 2026-11-22T10:00:00Z, 2026-11-22T11:00:00+01:00; or `latest`.',
  }),
  database_wal_missing: entry<{ name: string; segment: string; until?: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ name, segment, until }) =>
      `'${name}' cannot be restored to that time: segment ${segment} of its write-ahead log is missing${until === undefined ? '' : ` (it is whole until ${until})`}.`,
    help: ({ name }) => `\`sluice db backups ${name}\` lists the times that can be restored.`,
  }),
  database_backup_damaged: entry<{ name: string; backups: readonly string[] }>({
    status: 500,
    retry: 'terminal',
    message: ({ name, backups }) => `'${name}' cannot be restored: ${backups.join(', ')} ${backups.length === 1 ? 'is' : 'are'} damaged.`,
    help: () => 'Files of the backup are not what its manifest says. The running server has not been touched.',
  }),
  database_restore_failed: entry<{ name: string; reason: string }>({
    status: 500,
    retry: 'terminal',
    message: ({ name, reason }) => `'${name}' could not be restored: ${reason}.`,
    help: () => 'The database is what it was before. Try another time, or look at the reason.',
  }),
  port_taken: entry<{ name: string; host: string; port: number }>({
    status: 409,
    retry: 'retry',
    message: ({ name, host, port }) => `'${name}' cannot return to ${host}:${port}: another program listens there.`,
    help: () => 'End that program; the server keeps its port so that clients find it again.',
  }),
  cache_server_missing: entry<{ name: string; programs: readonly string[] }>({
    status: 422,
    retry: 'terminal',
    message: ({ name, programs }) => `'${name}' needs one of ${programs.join(', ')} on PATH, and none is there.`,
    help: () => 'Install one: `apt install redis-server` or `brew install valkey`, then start the control plane again.',
  }),
  cache_not_started: entry<{ name: string; reason: string }>({
    status: 503,
    retry: 'retry',
    message: ({ name, reason }) => `The server of the cache '${name}' did not start: ${reason}`,
    help: () => 'The reason is from its log; the change is tried again.',
  }),
  secret_variable_missing: entry<{ name: string; variable: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ name, variable }) => `The secret '${name}' is read from the environment variable ${variable}, which is not set.`,
    help: ({ variable }) =>
      `Set ${variable} in the shell you run Sluice from (\`export ${variable}=…\`), or mark the secret 'optional: true'.`,
  }),
  secret_file_unusable: entry<{ name: string; file: string; reason: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ name, file, reason }) => `The secret '${name}' cannot be read from '${file}': ${reason}.`,
    help: () => 'Name a UTF-8 text file of at most 64 KiB inside the folder of the stack.',
  }),
  local_address_taken: entry<{ from: string; to: string; id: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ from, to, id }) => `'${from}' cannot move to '${to}': this machine still has something there (${id}) that is not recorded.`,
    help: ({ to, id }) =>
      `Take it over under another name (\`sluice import ${to.split('/').slice(1).join('/')} ${id}\`), or choose another name for the move.`,
  }),
};
