import { entry } from './entry.ts';

export const accessErrors = {
  unauthenticated: entry<Record<string, never>>({
    status: 401,
    retry: 'terminal',
    message: () => 'This needs a key: none was sent, or it is unknown, expired or revoked.',
    help: () => 'Send `Authorization: Bearer sk_...`; the local key stands in the file admin.key of the Sluice home.',
  }),
  forbidden: entry<{ role: string; permission: string }>({
    status: 403,
    retry: 'terminal',
    message: ({ role, permission }) => `A key with the role '${role}' may not ${permission}.`,
    help: ({ permission }) => `Use a key whose role allows '${permission}'; an administrator makes one with \`sluice key create\`.`,
  }),
  grant_exceeds_own: entry<{ own: string; wanted: string }>({
    status: 403,
    retry: 'terminal',
    message: ({ own, wanted }) => `A key with the role '${own}' cannot make one with the role '${wanted}'.`,
    help: () => 'Nobody gives away more rights than they hold; ask an administrator.',
  }),
  unknown_key: entry<{ id: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ id }) => `There is no key '${id}'.`,
    help: () => '`sluice key list` shows all keys.',
  }),
  last_admin_key: entry<Record<string, never>>({
    status: 409,
    retry: 'terminal',
    message: () => 'This is the last key that can administer; without it nobody could make another.',
    help: () => 'Make a second admin key first: `sluice key create --role admin`.',
  }),
  admin_key_exposed: entry<{ file: string; mode: string }>({
    status: 500,
    retry: 'terminal',
    message: ({ file, mode }) => `The admin key in ${file} can be read by other users of this machine (mode ${mode}).`,
    help: ({ file }) =>
      `If nobody can have read it: chmod 600 ${file}. Otherwise delete the file; the next start makes a new key and revokes this one.`,
  }),
  admin_key_invalid: entry<{ file: string }>({
    status: 500,
    retry: 'terminal',
    message: ({ file }) => `${file} does not hold a key.`,
    help: () => 'Delete the file; the next start of the control plane makes a new key.',
  }),
};
