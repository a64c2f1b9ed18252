import type { Json } from '../digest/json.ts';
import type { Clock } from '../effects/clock.ts';
import { SluiceError } from '../errors/sluice-error.ts';
import type { KnownSecrets } from '../secrets/known-secrets.ts';
import type { MessageBody } from './message-body.ts';
import type { OutboxMessage } from './message.ts';
import type { NotificationDocuments } from './notification-documents.ts';
import type { Post, PostResult } from './post.ts';
import type { Attempt } from './retry-policy.ts';
import { signatureHeaders } from './signature.ts';
import { slackBody } from './slack.ts';

/** A receiver of notifications that takes longer has not taken it. */
const notificationTimeoutMs = 10_000;

export interface AttemptPorts {
  readonly post: Post;
  readonly notifications: Pick<NotificationDocuments, 'read'>;
  /** Puts in what `${secret.x}` stands for, at the moment of use. */
  readonly resolve: (environment: string, fields: Readonly<Record<string, string>>) => Promise<Readonly<Record<string, Json>>>;
  readonly secrets: Pick<KnownSecrets, 'scrub' | 'scrubJson'>;
  readonly clock: Clock;
  readonly userAgent: string;
}

interface Receiver {
  readonly url: string;
  readonly secret?: string | undefined;
  readonly format: 'json' | 'slack';
  readonly timeoutMs: number;
}

/** How long one attempt may take at most, for whoever claims the message meanwhile. */
export function longestAttemptMs({ target }: Pick<OutboxMessage, 'target'>): number {
  return target.kind === 'hook' ? target.timeoutMs : notificationTimeoutMs;
}

/** Sends a message once. Never rejects, and never tells a secret: the URL may be one. */
export async function attemptDelivery(message: OutboxMessage, ports: AttemptPorts, signal: AbortSignal): Promise<Attempt> {
  const receiver = await receiverOf(message, ports);
  if (receiver === undefined) return { outcome: 'dropped' };
  return send(message, receiver, ports, signal);
}

async function receiverOf({ target, environment }: OutboxMessage, { notifications }: AttemptPorts): Promise<Receiver | undefined> {
  if (target.kind === 'hook') return { url: target.url, secret: target.secret, format: 'json', timeoutMs: target.timeoutMs };
  const record = await notifications.read(environment, target.name);
  return record && { url: record.url, secret: record.secret, format: record.format, timeoutMs: notificationTimeoutMs };
}

async function send(
  { environment, target, body: unchecked }: OutboxMessage,
  receiver: Receiver,
  { post, resolve, secrets, clock, userAgent }: AttemptPorts,
  signal: AbortSignal,
): Promise<Attempt> {
  const wanted = { url: receiver.url, ...(receiver.secret !== undefined && { secret: receiver.secret }) };
  let given: Readonly<Record<string, Json>>;
  try {
    given = await resolve(environment, wanted);
  } catch (error) {
    const reason = error instanceof SluiceError ? secrets.scrub(error.message) : 'its URL or its secret could not be read';
    return { outcome: 'failed', reason, final: false };
  }
  const { url, secret } = given;
  if (typeof url !== 'string' || (secret !== undefined && (typeof secret !== 'string' || secret === ''))) {
    return { outcome: 'failed', reason: 'its URL or its secret is no text', final: false };
  }
  const body = secrets.scrubJson(unchecked) as unknown as MessageBody;
  const content = JSON.stringify(receiver.format === 'slack' ? slackBody(body) : body);
  const headers = {
    'user-agent': userAgent,
    accept: 'application/json, text/plain, */*',
    ...signatureHeaders({ id: body.id, body: content, atMs: clock.now() }, secret),
  };
  const result = await post({ url, headers, body: content, timeoutMs: receiver.timeoutMs, signal });
  if (signal.aborted && !result.answered) return { outcome: 'interrupted' };
  return judge(result, target.kind === 'hook', secrets);
}

function judge(result: PostResult, isHook: boolean, secrets: Pick<KnownSecrets, 'scrub'>): Attempt {
  if (!result.answered) return { outcome: 'failed', reason: result.reason, final: false };
  const { status, text, retryAfterMs } = result;
  if (status >= 200 && status < 300) return { outcome: 'delivered' };
  const said = isHook ? saidIn(secrets.scrub(text)) : '';
  const why = status >= 300 && status < 400 ? ', and redirects are not followed' : said === '' ? '' : `: ${said}`;
  // A hook that answers no has answered; a receiver that has gone for good says 410 (RFC 9110, 15.5.11).
  const final = isHook ? status >= 400 && status < 500 : status === 410;
  return { outcome: 'failed', reason: `it answered ${status}${why}`, final, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** What a hook says of its no: the field `reason` or `message` of a JSON object, or the beginning of a text. For people, in one line. */
function saidIn(text: string): string {
  let said = text.trimStart().startsWith('<') ? '' : text;
  try {
    const { reason, message } = JSON.parse(text) as { readonly reason?: unknown; readonly message?: unknown };
    const found = [reason, message].find((each) => typeof each === 'string');
    said = typeof found === 'string' ? found : '';
  } catch {
    // A text then.
  }
  // oxlint-disable-next-line no-control-regex -- they are what is to go
  const clean = said.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  return clean.length > 200 ? `${clean.slice(0, 200).trim()} …` : clean;
}
