import { z } from '@hono/zod-openapi';
import { blockName, environmentName, identifier, kind } from './schemas/names.ts';

// What the paths and queries of several rows of the route table have in common.

export const byId = z.object({ id: identifier });
export const inEnvironment = z.object({ environment: environmentName });
export const ofResource = inEnvironment.extend({ kind, name: blockName });
export const ofService = inEnvironment.extend({ name: blockName });
export const parallelism = z.coerce.number().int().min(1).max(1_000).optional();
export const yesOrNo = z.enum(['true', 'false']).transform((text) => text === 'true');

export const service = '/v1/environments/{environment}/services/{name}';
