import { z } from 'zod';
import { digestJson } from '../digest/digest.ts';
import { messageBody } from './message-body.ts';

/** How the receiver of a hook has answered, finally. `reason` is for people, without secrets. */
const hookAnswer = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('passed') }),
  z.object({ outcome: z.literal('failed'), reason: z.string() }),
]);
export type HookAnswer = z.infer<typeof hookAnswer>;

const notificationTarget = z.object({ kind: z.literal('notification'), name: z.string() });

/** `url` and `secret` as declared: interpolations of secrets stand as written until the moment of use. */
const hookTarget = z.object({
  kind: z.literal('hook'),
  name: z.string(),
  url: z.string(),
  secret: z.string().optional(),
  timeoutMs: z.number(),
  retries: z.number(),
});

/** Who works on a message, and until when nobody else does. `by` is the name of a process. */
const claim = z.object({ by: z.string(), until: z.number() });

/**
 * What one receiver is to be told, from the transition that causes it until the receiver has it. Times in milliseconds since the epoch.
 * `id` is made of what it tells and to whom, never of chance: told again, it has the same.
 */
export const outboxMessage = z.object({
  id: z.string(),
  target: z.discriminatedUnion('kind', [notificationTarget, hookTarget]),
  environment: z.string(),
  /** Name of the service it is about. */
  service: z.string(),
  /** Messages of one lane are delivered one after the other, by `order`. */
  lane: z.string(),
  order: z.number(),
  createdAt: z.number(),
  body: messageBody,
  attempts: z.number(),
  /** Not before. */
  dueAt: z.number(),
  claim: claim.optional(),
  /** Why the last attempt failed. */
  trouble: z.string().optional(),
  /** Of a hook that has been answered: nothing is left to deliver, its rollout is to take notice. */
  answer: hookAnswer.optional(),
});
export type OutboxMessage = z.infer<typeof outboxMessage>;

/** A message that was given up. */
export const deadMessage = outboxMessage.extend({ diedAt: z.number(), reason: z.string() });
export type DeadMessage = z.infer<typeof deadMessage>;

/** `msg-` and 128 bits of the digest of what the message is: the service's life, what happened to it and who is told. */
export function messageId(parts: {
  readonly address: string;
  readonly uid: string;
  readonly generation: number;
  readonly what: string;
  readonly target: string;
}): string {
  return `msg-${digestJson({ ...parts }).slice('sha256:'.length, 'sha256:'.length + 32)}`;
}
