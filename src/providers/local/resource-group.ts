import { problem } from '../../errors/sluice-error.ts';
import { fieldsOf } from '../../stack/kinds/index.ts';
import { createRecordedHandler } from './recorded.ts';
import type { LocalContext, ResourceHandler } from './resource-handler.ts';

/** A group holds resources together by reference; here it has no other substance. */
export function createResourceGroupHandler(context: LocalContext): ResourceHandler {
  return createRecordedHandler(context, {
    kind: 'resource_group',
    replaceFields: ['location'],
    check(block) {
      const { location } = fieldsOf(block, 'resource_group');
      if (location === 'local') return [];
      const where = { severity: 'note', position: block.positionOf('location'), address: block.address } as const;
      return [problem('not_enforced', { kind: block.kind, field: 'location', reason: 'everything runs on this machine' }, where)];
    },
    outputs: (fields) => ({ name: fields['name'] ?? '', location: fields['location'] ?? 'local' }),
  });
}
