import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { log } from './log.ts';
import { isRefusal, refusal } from './refusal.ts';

/** A route handler: it answers `response`, or throws a refusal. */
type Handler = (request: AgentRequest, response: ServerResponse) => void | Promise<void>;

interface AgentRequest {
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Aborted when the caller goes away before it has its answer. */
  readonly gone: AbortSignal;
  /** The parsed JSON body; throws a refusal with 413, 415 or 400 when there is none to be had. */
  readonly json: () => Promise<unknown>;
}

const bodyLimitBytes = 256 * 1024;

/** Idle connections stay open longer than a gateway keeps them, so that it never sends a request into one that is just being closed. */
const limits = { requestTimeout: 15_000, headersTimeout: 10_000, keepAliveTimeout: 75_000 };

/**
 * Serves `routes` (keys such as `GET /healthz`) on HOST and PORT. On SIGTERM it accepts nothing new, finishes what it has begun, waits
 * for `beforeExit` and ends the process; how long that may take is the `drain` of the stack.
 */
export function serve(routes: Readonly<Record<string, Handler>>, beforeExit: () => Promise<void> = async () => {}): Server {
  const server = createServer(limits, (incoming, response) => {
    const startedAt = performance.now();
    if (!server.listening) response.setHeader('connection', 'close');
    response.once('close', () => {
      const path = pathOf(incoming);
      const fields = { method: incoming.method, path, status: response.statusCode, caller: incoming.headers['x-sluice-caller'] };
      const outcome = { ...fields, complete: response.writableFinished, ms: Math.round(performance.now() - startedAt) };
      log(path === '/healthz' ? 'debug' : 'info', 'answered', outcome);
      if (!server.listening) setImmediate(() => server.closeIdleConnections());
    });
    void answer(routes, incoming, response);
  });
  server.listen({ host: process.env['HOST'] ?? '127.0.0.1', port: Number(process.env['PORT'] ?? 0) }, () => {
    log('info', 'listening', { address: server.address() });
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log('info', 'stopping', { signal });
      server.close(() => void beforeExit().finally(() => process.exit(0)));
    });
  }
  return server;
}

/** Answers with JSON, not to be kept unless `cache-control` is set already. `attributes` become evidence that Sluice compares between releases, such as `agent.decision=answer`. */
export function sendJson(response: ServerResponse, status: number, value: unknown, attributes?: Readonly<Record<string, string>>): void {
  if (attributes)
    response.setHeader(
      'x-sluice-attributes',
      Object.entries(attributes)
        .map(([name, value]) => `${name}=${value}`)
        .join(', '),
    );
  if (!response.hasHeader('cache-control')) response.setHeader('cache-control', 'no-store');
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(value));
}

async function answer(routes: Readonly<Record<string, Handler>>, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the caller went away'));
  });
  try {
    const handler = findRoute(routes, incoming);
    const query = new URLSearchParams(incoming.url?.split('?', 2)[1] ?? '');
    await handler({ query, headers: incoming.headers, gone: gone.signal, json: () => readJson(incoming) }, response);
  } catch (error) {
    fail(response, gone.signal, error);
  }
}

function findRoute(routes: Readonly<Record<string, Handler>>, incoming: IncomingMessage): Handler {
  const path = pathOf(incoming);
  const handler = Object.hasOwn(routes, `${incoming.method} ${path}`) ? routes[`${incoming.method} ${path}`] : undefined;
  if (handler) return handler;
  const methods = Object.keys(routes).flatMap((route) => (route.endsWith(` ${path}`) ? [route.slice(0, route.indexOf(' '))] : []));
  if (methods.length > 0) throw refusal(405, 'method_not_allowed', `${path} answers ${methods.join(', ')}`);
  throw refusal(404, 'not_found', `there is no ${path} here; there is: ${Object.keys(routes).join(', ')}`);
}

function pathOf(incoming: IncomingMessage): string {
  return incoming.url?.split('?', 1)[0] ?? '/';
}

async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const type = incoming.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw refusal(415, 'unsupported_media_type', 'send the body as content-type: application/json');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimitBytes) throw refusal(413, 'too_large', `the body is larger than ${bodyLimitBytes} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw refusal(400, 'invalid_json', 'the body is not valid JSON');
  }
}

/** What was refused is told to the caller; what broke is told to the log. */
function fail(response: ServerResponse, gone: AbortSignal, error: unknown): void {
  if (gone.aborted) return;
  const { status, code, message } = isRefusal(error)
    ? error
    : { status: 500, code: 'internal', message: 'this agent failed; its log says why' };
  if (!isRefusal(error)) log('error', 'failed', { error: error instanceof Error ? error.stack : String(error) });
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (status === 413) response.setHeader('connection', 'close');
  sendJson(response, status, { error: { code, message } });
}
