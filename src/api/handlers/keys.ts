import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

export function keyHandlers({ keyring, events }: ApiDependencies): Pick<Handlers, 'listKeys' | 'createKey' | 'revokeKey'> {
  return {
    listKeys: () => keyring.list(),
    createKey: async ({ body, actor }) => {
      const created = await keyring.create(actor.role, body);
      const { id, name, role } = created.details;
      await events.publish({
        type: 'key.created',
        level: 'info',
        message: `The key '${name}' with the role ${role} was made by '${actor.name}'.`,
        data: { key: id, by: actor.key },
      });
      return created;
    },
    revokeKey: async ({ parameters, actor }) => {
      const revoked = await keyring.revoke(parameters.id);
      await events.publish({
        type: 'key.revoked',
        level: 'info',
        message: `The key '${revoked.name}' was revoked by '${actor.name}'.`,
        data: { key: revoked.id, by: actor.key },
      });
      return revoked;
    },
  };
}
