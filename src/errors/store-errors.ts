import { entry } from './entry.ts';

export const storeErrors = {
  store_conflict: entry<{ collection: string; key: string; expected: number; found: number }>({
    status: 409,
    retry: 'retry',
    message: ({ collection, key, expected, found }) =>
      `'${key}' in ${collection} was changed by someone else: version ${expected} was expected, ${found} was found.`,
    help: () => 'Read the current state and try again.',
  }),
  control_plane_superseded: entry<{ holder: string; since: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ holder, since }) =>
      `Another control plane, ${holder}, has had the lead of this state since ${since}: this one changes nothing more.`,
    help: () => 'Use the other one. Start this one again only when that one has ended: the last one that starts has the lead.',
  }),
  store_damaged: entry<{ path: string; reason: string; backups: readonly string[] }>({
    status: 500,
    retry: 'terminal',
    message: ({ path, reason }) => `The state database ${path} is damaged: ${reason}.`,
    help: ({ backups: [newest, ...older] }) =>
      newest === undefined
        ? 'Nothing was changed. Put a backup of it back with `sluice state restore FILE`; none was found beside it. Do not delete what is there: it names everything that is running.'
        : `Nothing was changed. The newest backup is put back by \`sluice state restore ${newest}\`${older.length === 0 ? '' : ` (older ones: ${older.slice(0, 4).join(', ')})`}.`,
  }),
  store_too_new: entry<{ path: string; found: number; known: number }>({
    status: 500,
    retry: 'terminal',
    message: ({ path, found, known }) =>
      `The state database ${path} has schema ${found}; this version of Sluice knows schemas up to ${known}.`,
    help: () => 'Start the newer version of Sluice that wrote it.',
  }),
  store_unavailable: entry<{ path: string; reason: string }>({
    status: 503,
    retry: 'retry',
    message: ({ path, reason }) => `The state database ${path} cannot be used: ${reason}.`,
    help: () => 'Check that the disk has room, that the file may be written, and that no other program holds it.',
  }),
  store_unreachable: entry<{ store: string; reason: string }>({
    status: 503,
    retry: 'retry',
    message: ({ store, reason }) => `The state database ${store} does not answer: ${reason}.`,
    help: () => 'Check that the server runs, that this machine can reach it, and the TLS settings of its URL.',
  }),
  store_refused: entry<{ store: string; reason: string }>({
    status: 500,
    retry: 'terminal',
    message: ({ store, reason }) => `The state database ${store} refuses: ${reason}.`,
    help: () =>
      'Check user, password, database and rights, and for a certificate `sslmode` and `sslrootcert`. The URL comes from --store, SLUICE_STORE or the file store.url in SLUICE_HOME.',
  }),
  store_url_invalid: entry<{ reason: string }>({
    status: 400,
    retry: 'terminal',
    message: ({ reason }) => `The URL of the state database cannot be used: ${reason}.`,
    help: () => 'It has the form postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full; `sqlite` means state.db in SLUICE_HOME.',
  }),
  store_missing: entry<{ store: string; evidence: string; backups: readonly string[] }>({
    status: 500,
    retry: 'terminal',
    message: ({ store, evidence }) => `The state database ${store} holds no state of Sluice, but ${evidence} shows that there was one.`,
    help: ({ backups: [newest] }) =>
      `Nothing was made anew. Correct the URL, or put a backup back with \`sluice state restore ${newest ?? 'FILE'}\`; to begin from nothing use another SLUICE_HOME.`,
  }),
  store_differs: entry<{ home: string; kept: string; wanted: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ home, kept, wanted }) => `${home} keeps its state in ${kept}, not in ${wanted}.`,
    help: () =>
      'Leave out --store and SLUICE_STORE to go on. To move the state: `sluice down`, `sluice state backup FILE`, `sluice state restore FILE --store URL`.',
  }),
  store_in_use: entry<{ store: string; others: number }>({
    status: 409,
    retry: 'wait',
    message: ({ store, others }) =>
      `${others} connection${others === 1 ? '' : 's'} of Sluice use${others === 1 ? 's' : ''} the state database ${store}.`,
    help: () => 'End every control plane that uses it (`sluice down`), then restore again.',
  }),
  store_url_exposed: entry<{ file: string; mode: string }>({
    status: 500,
    retry: 'terminal',
    message: ({ file, mode }) => `${file} may hold a password and can be read by others (mode ${mode}).`,
    help: ({ file }) => `Change the password if others may have seen it, then \`chmod 600 ${file}\`.`,
  }),
  nothing_to_back_up: entry<{ home: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ home }) => `${home} holds no state yet.`,
    help: () => 'The first `sluice apply` makes it. Another home is named by --home, SLUICE_HOME or --stack.',
  }),
  backup_exists: entry<{ path: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ path }) => `There is a file already: ${path}.`,
    help: () => 'A backup overwrites nothing; give another name.',
  }),
  backup_not_written: entry<{ path: string; reason: string }>({
    status: 500,
    retry: 'terminal',
    message: ({ path, reason }) => `${path} cannot be written: ${reason}.`,
    help: () => 'Give a file in a folder that exists, may be written and has room.',
  }),
  backup_unusable: entry<{ path: string; reason: string }>({
    status: 400,
    retry: 'terminal',
    message: ({ path, reason }) => `${path} cannot be restored: ${reason}.`,
    help: () => 'Nothing was changed. Give a file that `sluice state backup` has made.',
  }),
  store_closed: entry<Record<string, never>>({
    status: 503,
    retry: 'terminal',
    message: () => 'The state database has been closed.',
    help: () => 'The control plane is stopping; start it again.',
  }),
  secret_unreadable: entry<Record<string, never>>({
    status: 500,
    retry: 'terminal',
    message: () => 'A stored secret cannot be opened: it was altered, or it was sealed with another key.',
    help: () => 'Restore the key file that belongs to this state database (state.key in SLUICE_HOME).',
  }),
  vault_key_unusable: entry<{ path: string; reason: string }>({
    status: 500,
    retry: 'terminal',
    message: ({ path, reason }) => `The key file ${path} is refused: ${reason}.`,
    help: ({ path }) => `Restore the right file with mode 0600 (chmod 600 ${path}); a new key could not open what is stored.`,
  }),
};
