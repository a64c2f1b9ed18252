import { request, type IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Json } from '../../digest/json.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { type EngineAddress, engineAddress, rootlessSocket } from './engine-address.ts';

/**
 * The HTTP API of a Docker engine. Both methods throw `engine_unreachable` when there is no answer, whatever the answer is otherwise, and
 * what speaks against the engine as a whole: `engine_address_refused`, `docker_context_unusable`, `engine_unfit`.
 */
export interface Engine {
  /** One request and its whole answer. */
  call(method: Method, path: string, options?: CallOptions): Promise<Answer>;
  /**
   * One request whose answer goes on: it is the caller's to read or to destroy. An open one keeps no process alive. What ends before it is
   * whole is an error of the stream.
   */
  open(method: Method, path: string, options?: CallOptions): Promise<IncomingMessage>;
}

type Method = 'GET' | 'POST' | 'DELETE' | 'HEAD';

export interface CallOptions {
  readonly body?: Json;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until the answer has begun (`open`) or is whole (`call`); 60 s when absent. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  /** Undefined where there is none. */
  readonly body: unknown;
}

const usualTimeoutMs = 60_000;
const greetingMs = 10_000;
const longestAnswer = 64 * 1024 * 1024;
/** What this was written by; an engine that has only older ones is spoken to as it wishes. */
const newestKnown = 47;

/** Looks for the engine when it is asked for the first time, and stays with the first one that answers. */
export function createEngine(environment: Readonly<Record<string, string | undefined>>): Engine {
  let version: Promise<string> | undefined;
  let known: EngineAddress | undefined;
  const addressed = (): EngineAddress => known ?? engineAddress(environment);

  function send(method: Method, path: string, options: CallOptions): Promise<IncomingMessage> {
    const address = addressed();
    const { body, headers, timeoutMs = usualTimeoutMs, signal } = options;
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(new Error(`it did not answer within ${timeoutMs} ms`)), timeoutMs);
      timer.unref();
      const outgoing = request({
        socketPath: address.path,
        method,
        path,
        agent: false,
        signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
        headers: {
          host: 'docker',
          ...(text !== undefined && { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
          ...headers,
        },
      });
      outgoing.once('response', (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      outgoing.on('error', (error) => {
        clearTimeout(timer);
        reject(unreachable(address, late.signal.aborted ? (late.signal.reason as Error) : error));
      });
      outgoing.end(text);
    });
  }

  /** The engine's newest version of the API that is known here, as a prefix of paths. */
  async function prefix(): Promise<string> {
    version ??= greet();
    const asked = version;
    asked.catch(() => {
      if (version === asked) version = undefined;
    });
    return asked;
  }

  async function greet(): Promise<string> {
    const address = addressed();
    const answer = await send('GET', '/_ping', { timeoutMs: greetingMs });
    answer.resume();
    const [, minor] = /^1\.(\d+)$/.exec(String(answer.headers['api-version'])) ?? [];
    const prefix = `/v1.${Math.min(Number(minor ?? newestKnown), newestKnown)}`;
    const about = await wholeOf(await send('GET', `${prefix}/info`, { timeoutMs: greetingMs }), greetingMs);
    const reason = unfitness(about);
    if (reason !== undefined) throw sluiceError('engine_unfit', { address: address.text, by: address.by, reason });
    known = address;
    return prefix;
  }

  /** The answer once it is whole. */
  async function wholeOf(answer: IncomingMessage, limitMs: number): Promise<Answer> {
    const timer = setTimeout(() => answer.destroy(new Error('its answer was not whole in time')), limitMs);
    timer.unref();
    try {
      return { status: answer.statusCode ?? 0, body: parsed(await textOf(answer)) };
    } catch (error) {
      throw unreachable(addressed(), error as Error);
    } finally {
      clearTimeout(timer);
    }
  }

  function unreachable(address: EngineAddress, error: Error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const rootless = rootlessSocket(environment);
    return sluiceError(
      'engine_unreachable',
      { address: address.text, by: address.by, reason: reasons[code ?? ''] ?? message, ...(rootless !== undefined && { rootless }) },
      { cause: error },
    );
  }

  async function open(method: Method, path: string, options: CallOptions = {}): Promise<IncomingMessage> {
    const answer = await send(method, (await prefix()) + path, options);
    answer.socket.unref();
    return answer;
  }

  return {
    open,
    async call(method, path, options = {}) {
      return wholeOf(await send(method, (await prefix()) + path, options), options.timeoutMs ?? usualTimeoutMs);
    },
  };
}

/** What the engine says of a failure. */
export function reasonIn({ status, body }: Answer): string {
  const said: unknown = typeof body === 'object' && body !== null && 'message' in body ? body.message : body;
  const text = typeof said === 'string' && said.trim() !== '' ? said.trim() : `status ${status}`;
  return text
    .replaceAll(/\p{Cc}+/gu, ' ')
    .slice(0, 500)
    .replace(/\.$/, '');
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > longestAnswer) throw new Error('its answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

const about = z.looseObject({ SecurityOptions: z.array(z.string()).nullish(), OperatingSystem: z.string().optional() });

/** Why containers of this engine are not beside the processes of this machine; undefined when they are. */
function unfitness({ body }: Answer): string | undefined {
  const { SecurityOptions, OperatingSystem } = about.safeParse(body).data ?? {};
  if (SecurityOptions?.some((option) => option.startsWith('name=rootless')))
    return 'it is rootless, and its containers have a network of their own';
  return OperatingSystem === 'Docker Desktop' ? 'it is that of Docker Desktop, and its containers are in a virtual machine' : undefined;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'nothing is there',
  ECONNREFUSED: 'nothing listens there',
  EACCES: 'this user may not use the socket',
  ECONNRESET: 'it ended the connection',
};
