import { z } from 'zod';

const share = z.number().min(0).max(1);

/** What the gateway's settings may say of the access log and traces. */
export const observerSettings = z.object({
  /** On by default with errors alone. */
  accessLog: z
    .object({
      sampleRate: share.default(0),
      maxBytes: z
        .number()
        .int()
        .min(1_024)
        .default(10 * 1_048_576),
      oldFiles: z.number().int().min(0).max(100).default(3),
    })
    .or(z.literal('off'))
    .optional(),
  /** Off without an endpoint, here or in OTEL_EXPORTER_OTLP_ENDPOINT. */
  traces: z.object({ endpoint: z.url({ protocol: /^https?$/ }).optional(), sampleRate: share.default(0.1) }).optional(),
});
export type ObserverSettings = z.infer<typeof observerSettings>;
