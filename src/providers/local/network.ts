import { problem } from '../../errors/sluice-error.ts';
import { fieldsOf } from '../../stack/kinds/index.ts';
import { createRecordedHandler } from './recorded.ts';
import type { LocalContext, ResourceHandler } from './resource-handler.ts';

export function createNetworkHandler(context: LocalContext): ResourceHandler {
  return createRecordedHandler(context, {
    kind: 'network',
    replaceFields: ['address_space'],
    check(block) {
      const { subnets } = fieldsOf(block, 'network');
      const field = subnets.length > 0 ? 'subnets' : 'address_space';
      const reason = subnets.length > 0 ? 'subnets are not isolated on this machine' : "networks share this machine's loopback interface";
      const where = { severity: 'note', position: block.positionOf(field), address: block.address } as const;
      return [problem('not_enforced', { kind: block.kind, field, reason }, where)];
    },
    outputs: (fields) => ({ name: fields['name'] ?? '', address_space: fields['address_space'] ?? '' }),
  });
}
