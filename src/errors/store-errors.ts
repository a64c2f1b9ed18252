import { entry } from './entry.ts';

export const storeErrors = {
  store_conflict: entry<{ collection: string; key: string; expected: number; found: number }>({
    status: 409,
    retry: 'retry',
    message: ({ collection, key, expected, found }) =>
      `'${key}' in ${collection} was changed by someone else: version ${expected} was expected, ${found} was found.`,
    help: () => 'Read the current state and try again.',
  }),
  store_damaged: entry<{ path: string; reason: string }>({
    status: 500,
    retry: 'terminal',
    message: ({ path, reason }) => `The state database ${path} is damaged: ${reason}.`,
    help: ({ path }) => `Nothing was changed. Restore ${path} from a backup; do not delete it, it names everything that is running.`,
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
