import { z } from '@hono/zod-openapi';
import { eventTypes, type SluiceEvent } from '../../telemetry/events.ts';
import { json, timestamp } from './names.ts';

const event = z
  .object({
    sequence: z.number().int(),
    time: timestamp,
    type: z.enum(eventTypes),
    level: z.enum(['info', 'warning', 'error']),
    message: z.string(),
    environment: z.string().optional(),
    address: z.string().optional(),
    run: z.string().optional(),
    data: json.optional(),
  })
  .readonly()
  .openapi('Event') satisfies z.ZodType<SluiceEvent>;

/** `last` is the sequence up to which was looked: pass it as `after` for the next page, also when no item matched. */
export const events = z.object({ items: z.array(event).readonly(), last: z.number().int() });
export type EventPage = z.infer<typeof events>;
