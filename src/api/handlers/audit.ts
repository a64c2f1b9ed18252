import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

export function auditHandlers({ audit }: ApiDependencies): Pick<Handlers, 'listAudit' | 'verifyAudit'> {
  return {
    listAudit: async ({ query: { after, limit } }) => {
      const items = await audit.read(after, limit);
      return { items, last: items.at(-1)?.sequence ?? after };
    },
    verifyAudit: () => audit.verify(),
  };
}
