import { z } from 'zod';
import { blockName } from '../fields/names.ts';
import { text } from '../fields/text.ts';
import { defineKind } from './kind-spec.ts';

export const resourceGroup = defineKind({
  kind: 'resource_group',
  summary: 'A group of resources that live and are removed together.',
  schema: z.strictObject({
    name: blockName('resource_group'),
    location: text(64).default('local').describe('Region of the cloud it lies in; a label where the provider has no regions.'),
  }),
  outputs: {},
  example: `resource_group:
  name: support
  location: eastus
`,
});
