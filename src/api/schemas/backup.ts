import { z } from '@hono/zod-openapi';

export const backup = z
  .object({
    file: z.string().openapi({ description: 'Where it lies on the machine of the control plane' }),
    bytes: z.number().int(),
    schema: z.number().int(),
    documents: z.number().int(),
    entries: z.number().int().openapi({ description: 'Of all logs together' }),
  })
  .readonly()
  .openapi('Backup');

export type Backup = z.infer<typeof backup>;
