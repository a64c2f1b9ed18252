import { z } from '@hono/zod-openapi';
import { address, json, jsonFields, kind, timestamp } from './names.ts';

const output = z
  .union([z.object({ value: json }), z.object({ secret: z.literal(true) })])
  .openapi({ description: 'A value, or the mark of one that is secret and never shown' });

const condition = z
  .object({
    type: z.enum(['storage', 'archive', 'backup']),
    level: z.enum(['info', 'warning', 'error']),
    message: z.string(),
  })
  .readonly()
  .openapi('Condition', { description: 'Something to know of a resource that no plan would change' });

export type Condition = z.infer<typeof condition>;

export const resourceView = z
  .object({
    address,
    environment: z.string(),
    kind,
    name: z.string(),
    provider: z.string(),
    status: z.enum(['creating', 'updating', 'deleting', 'ready', 'failed']),
    id: z.string(),
    declared: jsonFields,
    outputs: z.record(z.string(), output),
    dependencies: z.array(address).readonly(),
    copy: z
      .object({ of: address, role: z.enum(['next', 'old']) })
      .readonly()
      .optional()
      .openapi({
        description:
          'Set on a second copy that a replacement keeps: the next one until it is ready, then the old one until nothing uses it',
      }),
    createdAt: timestamp,
    updatedAt: timestamp,
    conditions: z.array(condition).readonly().optional(),
  })
  .readonly()
  .openapi('Resource');

export const resources = z.array(resourceView).readonly();

export type ResourceView = z.infer<typeof resourceView>;
