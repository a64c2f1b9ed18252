import { z } from 'zod';

/** How an environment's gateway serves, as the store keeps it: places of files, never what is in them. */
export const listenerSettings = z.object({
  /** The same in every environment that has one. */
  engine: z.enum(['auto', 'embedded', 'haproxy']).optional(),
  /** IP address; undefined: the loopback. */
  address: z.string().optional(),
  /** Of plain HTTP; undefined: chosen once and kept. */
  port: z.number().int().optional(),
  tls: z
    .object({
      /** Given by the stack; undefined: chosen once and kept. */
      port: z.number().int().optional(),
      certificates: z.array(z.object({ hosts: z.array(z.string()), certificateFile: z.string(), keyFile: z.string() })),
      acme: z
        .object({
          directoryUrl: z.string(),
          email: z.string().optional(),
          caFile: z.string().optional(),
          /** Undefined: those of all exposed services. */
          hosts: z.array(z.string()).optional(),
        })
        .optional(),
      redirect: z.boolean(),
    })
    .optional(),
});
export type ListenerSettings = z.infer<typeof listenerSettings>;
