import { z } from '@hono/zod-openapi';
import { timestamp } from './names.ts';

export const health = z.object({ status: z.literal('ok') }).openapi('Health');

const environmentStatus = z
  .object({
    name: z.string(),
    url: z.string().optional().openapi({ description: 'Where clients reach it; absent while it exposes nothing' }),
    resources: z.number().int().openapi({ description: 'How many there are' }),
    services: z.number().int().openapi({ description: 'How many of them are services' }),
  })
  .readonly();

const gatewayStatus = z
  .object({
    running: z.boolean(),
    pid: z.number().int().optional(),
    startedAt: timestamp.optional(),
    problem: z.string().optional().openapi({ description: 'Why it does not run, while it cannot be started' }),
  })
  .readonly();

export const status = z
  .object({
    version: z.string(),
    home: z.string(),
    root: z.string(),
    pid: z.number().int(),
    startedAt: timestamp,
    phase: z.enum(['starting', 'ready', 'stopping']).openapi({ description: 'While `starting`, what ran before is being taken up' }),
    lastEvent: z.number().int().openapi({ description: 'Sequence of the newest event; 0 before the first' }),
    gateway: gatewayStatus,
    environments: z.array(environmentStatus).readonly(),
  })
  .readonly()
  .openapi('Status');

export const shutdownRequest = z
  .strictObject({ workloads: z.enum(['stop', 'keep']).openapi({ description: '`keep` leaves gateway, instances and databases running' }) })
  .openapi('ShutdownRequest');

export const accepted = z.object({ accepted: z.literal(true) }).openapi('Accepted');

export type Status = z.infer<typeof status>;
export type ShutdownRequest = z.input<typeof shutdownRequest>;
