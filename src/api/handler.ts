import type { z } from '@hono/zod-openapi';
import type { Actor } from '../access/keyring.ts';
import type { Endpoint, TextAnswer } from './endpoint.ts';
import type { EndpointName, Endpoints } from './endpoints.ts';
import type { MessageStream } from './event-stream.ts';

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

export interface Call<Row extends Endpoint> {
  readonly parameters: Output<Row['parameters']>;
  readonly query: Output<Row['query']>;
  readonly body: Output<Row['body']>;
  /** Who calls; absent only where the rule is public. */
  readonly actor: Row['access'] extends { permission: unknown } ? Actor : undefined;
  readonly lastEventId: string | undefined;
  readonly accept: string | undefined;
  /** The header idempotency-key, where the row takes one. */
  readonly idempotencyKey: string | undefined;
  /** Why, in the caller's words: the header x-sluice-reason. */
  readonly reason: string | undefined;
}

export type Handler<Row extends Endpoint> = (
  call: Call<Row>,
) => Promise<
  (Row extends { text: string } ? TextAnswer : z.input<Row['answer']>) | (Row extends { streams: true } ? MessageStream : never)
>;

/** One handler for every row of the route table; leaving one out does not compile. */
export type Handlers = { readonly [Name in EndpointName]: Handler<Endpoints[Name]> };
