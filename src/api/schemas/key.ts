import { z } from '@hono/zod-openapi';
import { roles } from '../../access/roles.ts';
import { environmentName, timestamp } from './names.ts';

const role = z.enum(roles);

/** A key as it may be shown: never the key itself, never its digest. */
export const keyView = z
  .object({
    id: z.string(),
    name: z.string(),
    role,
    environment: z.string().optional().openapi({ description: 'The only environment it evaluates flags of' }),
    createdAt: timestamp,
    expiresAt: timestamp.optional(),
    lastUsedAt: timestamp.optional(),
    revokedAt: timestamp.optional(),
  })
  .readonly()
  .openapi('Key');

export const keys = z.array(keyView).readonly();

export const createKeyRequest = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(100)
      .regex(/^[^\p{C}]+$/u, 'holds control characters'),
    role,
    environment: environmentName.optional(),
    expiresInSeconds: z.number().int().min(1).max(3_153_600_000).optional(),
  })
  .refine(({ role, environment }) => environment === undefined || role === 'evaluator', {
    error: 'only a key with the role evaluator is bound to an environment',
  })
  .openapi('CreateKeyRequest');

/** The only answer that ever holds the key. */
export const createdKey = z.object({ key: z.string(), details: keyView }).readonly().openapi('CreatedKey');

export type KeyView = z.infer<typeof keyView>;
export type CreateKeyRequest = z.input<typeof createKeyRequest>;
export type CreatedKey = z.infer<typeof createdKey>;
