import { z } from 'zod';
import { blockName, refersTo } from '../fields/names.ts';
import { text, whole } from '../fields/text.ts';
import { defineKind } from './kind-spec.ts';

export const database = defineKind({
  kind: 'database',
  summary: 'A relational database with its own server, role and password.',
  stateful: () => true,
  schema: z.strictObject({
    name: blockName('database'),
    resource_group_name: refersTo('resource_group', { ordering: true }).optional().describe('Resource group it belongs to.'),
    type: z.enum(['PostgreSQL']).describe('Database engine.'),
    version: z
      .string({ error: 'a version as text: put quotes around it' })
      .regex(/^\d+(\.\d+)?$/, { error: 'a version such as "15"' })
      .describe('Major version of the engine, as text.'),
    sku: text(64)
      .default('Burstable_1_vCPU')
      .describe('Tier and processors, such as GeneralPurpose_4_vCPU; memory and connections follow from it.'),
    storage_gb: whole(1, 65_536).default(32).describe('Storage in GiB.'),
    backup_retention_days: whole(0, 35).default(7).describe('How many days backups are kept.'),
    protect: z.boolean().default(false).describe('Never destroyed or replaced unless `--allow-destroy database/NAME` says so.'),
  }),
  outputs: {
    url: { description: 'Connection URL with user and password.', secret: true },
    host: { description: 'Host the server listens on.', secret: false },
    port: { description: 'Port the server listens on.', secret: false },
    database: { description: 'Name of the database on the server.', secret: false },
    user: { description: 'Role that owns the database.', secret: false },
    password: { description: 'Password of the role.', secret: true },
  },
  example: `database:
  name: support-db
  type: PostgreSQL
  version: "15"
  sku: GeneralPurpose_4_vCPU
  storage_gb: 256
  backup_retention_days: 7
  protect: true
`,
});
