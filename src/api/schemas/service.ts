import { z } from '@hono/zod-openapi';
import { failure, previous, rolloutView, weights } from './rollout.ts';
import { address, timestamp } from './names.ts';

const instanceView = z
  .object({
    id: z.string(),
    release: z.string(),
    baseline: z.literal(true).optional().openapi({ description: 'A fresh instance of stable that the candidate is compared with' }),
    host: z.string().optional(),
    port: z.number().int().optional(),
    pid: z.number().int().optional(),
    state: z
      .enum(['starting', 'ready', 'unready', 'backing_off', 'crash_looping', 'giving_up', 'draining', 'stopping', 'stopped'])
      .openapi({ description: 'Only a ready instance is given requests' }),
    restarts: z.number().int(),
    startedAt: timestamp.optional(),
    logFile: z.string().optional(),
    message: z.string().optional(),
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
    phase: z.enum(['deploying', 'ready', 'degraded', 'failed', 'suspended']),
    release: z.string().optional().openapi({ description: 'The stable release; absent before the first rollout has succeeded' }),
    candidate: z.string().optional().openapi({ description: 'The release being rolled out' }),
    version: z.string(),
    candidateVersion: z.string().optional(),
    replicas: z.object({ desired: z.number().int(), ready: z.number().int() }).readonly(),
    instances: z.array(instanceView).readonly(),
    rollout: rolloutView.optional().openapi({ description: 'The rollout under way' }),
    weights,
    previous: previous.optional().openapi({ description: 'The release before, kept ready for an instant return' }),
    failure: failure.optional().openapi({ description: 'The release that was taken back last' }),
    urls: z.array(z.string()).readonly().openapi({ description: 'Public URLs; empty for a service that only others may call' }),
    preview: z.string().optional().openapi({ description: 'URL under which the candidate alone answers, until it gets a share' }),
    message: z.string().optional().openapi({ description: 'Why it is not ready' }),
    example: exampleCall.optional(),
  })
  .readonly()
  .openapi('Service');

export const services = z.array(serviceView).readonly();

export const scaleRequest = z.strictObject({ replicas: z.number().int().min(0).max(1_000) }).openapi('ScaleRequest');

const logLine = z.object({ instance: z.string(), line: z.string() }).readonly().openapi('LogLine');
export const logLines = z.array(logLine).readonly();

export type ServiceView = z.infer<typeof serviceView>;
export type LogLine = z.infer<typeof logLine>;
