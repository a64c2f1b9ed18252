import { z } from '@hono/zod-openapi';
import type { Json } from '../../digest/json.ts';
import { kinds, type Address } from '../../stack/stack.ts';

/** Names that travel in URLs and documents. Everything else is refused before a handler sees it. */
const dnsLabel = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'is not a name (lower-case letters, digits and hyphens)');

export const environmentName = dnsLabel.openapi({ example: 'production' });
export const blockName = dnsLabel.openapi({ example: 'conversation-agent' });
export const identifier = z
  .string()
  .regex(/^[a-z]{1,16}-[0-9a-z]{4,64}$/, 'is not an identifier')
  .openapi({ example: 'run-4f0c9a7d21e5b836' });
export const kind = z.enum(kinds).openapi({ example: 'service' });
export const address = z
  .custom<Address>((value) => typeof value === 'string' && value.length < 256)
  .openapi({ type: 'string', example: 'production/service/conversation-agent' });
/** `kind/name`, or with its environment before it; which of them exist, the planner says. */
export const resourceName = z
  .string()
  .max(256)
  .regex(
    /^(?:[a-z0-9-]{1,63}\/)?[a-z_]{1,32}\/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    'is not an address (kind/name or environment/kind/name)',
  )
  .openapi({ example: 'database/orders' });
export const timestamp = z.string().openapi({ format: 'date-time', example: '2026-11-22T01:02:03.004Z' });
export const json = z
  .custom<Json>((value) => value !== undefined)
  .openapi({ type: ['null', 'boolean', 'number', 'string', 'array', 'object'], description: 'Any JSON value' });
export const jsonFields = z.record(z.string(), json);
