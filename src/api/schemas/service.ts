import { z } from '@hono/zod-openapi';
import { address, timestamp } from './names.ts';

const instanceView = z
  .object({
    id: z.string(),
    release: z.string(),
    state: z.string(),
    host: z.string().optional(),
    port: z.number().int().optional(),
    pid: z.number().int().optional(),
    startedAt: timestamp.optional(),
    restarts: z.number().int(),
    reason: z.string().optional(),
  })
  .readonly()
  .openapi('Instance');

const exampleCall = z
  .object({ method: z.string(), url: z.string(), headers: z.record(z.string(), z.string()), body: z.string().optional() })
  .readonly()
  .openapi('ExampleCall', { description: 'A request that gets a real answer, ready to be sent' });

export const serviceView = z
  .object({
    address,
    environment: z.string(),
    name: z.string(),
    phase: z.string(),
    reason: z.string().optional(),
    release: z.object({ id: z.string(), version: z.string() }).readonly().optional(),
    candidate: z.object({ id: z.string(), version: z.string() }).readonly().optional(),
    replicas: z.number().int(),
    ready: z.number().int(),
    url: z.string().optional(),
    instances: z.array(instanceView).readonly(),
    example: exampleCall.optional(),
  })
  .readonly()
  .openapi('Service');

export const services = z.array(serviceView).readonly();

export const scaleRequest = z.strictObject({ replicas: z.number().int().min(0).max(1_000) }).openapi('ScaleRequest');

export const logLine = z.object({ instance: z.string(), line: z.string() }).readonly().openapi('LogLine');
export const logLines = z.array(logLine).readonly();

export type ServiceView = z.infer<typeof serviceView>;
export type LogLine = z.infer<typeof logLine>;
