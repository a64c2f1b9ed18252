import { catalogue, type ErrorCode } from '../../errors/catalogue.ts';
import { SluiceError, sluiceError } from '../../errors/sluice-error.ts';
import type { ErrorAnswer } from '../schemas/error.ts';
import { readServerSentEvents, type ServerSentMessage } from './server-sent-events.ts';

export interface TransportOptions {
  readonly url: string;
  readonly key: string;
  /** Why changes are made; goes into the audit log. */
  readonly reason?: string;
  /** `fetch` when absent. */
  readonly fetch?: Send;
}

/** The part of `fetch` that is used. */
export type Send = (url: string, request: Sent) => Promise<Received>;

interface Sent {
  readonly method?: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  readonly redirect: 'error';
}

export interface Received {
  readonly ok: boolean;
  readonly status: number;
  text(): Promise<string>;
  json(): Promise<unknown>;
  readonly body: AsyncIterable<Uint8Array> | null;
}

export interface Transport {
  /** The JSON answer. Rejects with the SluiceError the server answered with, or `control_plane_unreachable`. */
  json(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown, headers?: Record<string, string>): Promise<unknown>;
  text(path: string): Promise<string>;
  /** One connection's messages; ends when the server ends it, rejects when it breaks or has been silent for too long. */
  stream(path: string, options: { signal: AbortSignal; lastEventId?: string }): AsyncIterable<ServerSentMessage>;
}

/** The server sends a heartbeat every 15 seconds; three missed ones are a dead connection. */
const silenceLimitMs = 45_000;

export function createTransport({ url, key, reason, fetch: send = fetch }: TransportOptions): Transport {
  const why: Record<string, string> = reason === undefined ? {} : { 'x-sluice-reason': encodeURIComponent(reason.toWellFormed()) };
  const request = async (path: string, init: Partial<Sent>): Promise<Received> => {
    let response: Received;
    try {
      response = await send(`${url}${path}`, {
        ...init,
        redirect: 'error',
        headers: { authorization: `Bearer ${key}`, ...why, ...init.headers },
      });
    } catch (thrown) {
      if (init.signal?.aborted) throw thrown;
      throw unreachable(thrown);
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  };

  return {
    json: async (method, path, body, headers) => {
      const response = await request(path, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body) }),
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      });
      return response.json().catch((thrown: unknown) => {
        throw unreachable(thrown);
      });
    },
    text: async (path) => (await request(path, {})).text(),
    async *stream(path, { signal, lastEventId }) {
      const silence = new AbortController();
      let timer = setTimeout(() => silence.abort(new Error('the connection fell silent')), silenceLimitMs);
      try {
        const response = await request(path, {
          signal: AbortSignal.any([signal, silence.signal]),
          headers: { accept: 'text/event-stream', ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) },
        });
        if (response.body === null) return;
        yield* readServerSentEvents(response.body, () => {
          timer = timer.refresh();
        });
      } catch (thrown) {
        throw thrown instanceof SluiceError || signal.aborted ? thrown : unreachable(thrown);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** The error a server answered with, as the same error here: message and help are the server's, status and retry the catalogue's. */
async function errorOf(response: Received): Promise<SluiceError> {
  const answer = (await response.json().catch(() => undefined)) as Partial<ErrorAnswer> | undefined;
  const error = answer?.error;
  if (error === undefined || typeof error.code !== 'string') {
    return unreachable(new Error(`something else answers there (HTTP ${response.status})`));
  }
  // A newer server may use a code this client does not know yet; its words still tell the user what to do.
  const code: ErrorCode = Object.hasOwn(catalogue, error.code) ? error.code : 'internal_error';
  return new SluiceError(code, { message: error.message, help: error.help }, { problems: error.problems ?? [] });
}

function unreachable(thrown: unknown): SluiceError {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const reason = code ?? (cause instanceof Error ? cause.message : String(cause));
  return sluiceError('control_plane_unreachable', { reason }, { cause: thrown });
}
