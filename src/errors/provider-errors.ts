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
      `Set ${variable} in the environment the control plane is started from (\`sluice down\`, then again), or mark the secret 'optional: true'.`,
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
