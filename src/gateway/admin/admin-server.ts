import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { http } from '../../effects/builtins.ts';
import { sluiceError, toSluiceError } from '../../errors/sluice-error.ts';
import type { Gateway } from '../gateway.ts';
import { expose } from '../measuring/exposition.ts';
import { gatewayFamilies } from '../measuring/families.ts';

export interface AdminDependencies {
  readonly gateway: Gateway;
  readonly token: string;
  /** Called once the answer is out. */
  readonly onDrainRequested: (deadlineMs: number) => void;
  /** Another main process takes over, of this program; what runs has until the deadline. Throws `gateway_start_failed`: all is as before. */
  readonly handOver: (program: readonly [string, ...string[]], deadlineMs: number) => Promise<void>;
}

const largestTable = 64 * 1024 * 1024;
const defaultDrainMs = 30_000;
const defaultHandOverMs = 300_000;

/**
 * The control plane's way in: `PUT /table`, `PATCH /table` with what has changed since a version, `GET /status`, `GET /counts`, `GET /metrics` for Prometheus, `POST /drain-and-exit` with an optional `{"deadlineMs": n}`, and `POST
 * /hand-over` with `{"program": [argv of a main process]}` as well. Every request carries the bearer token, which is worth as much as the
 * user the gateway runs as; nothing of a request is read before that is checked.
 */
export function createAdminServer({ gateway, token, onDrainRequested, handOver }: AdminDependencies): Server {
  const expected = digest(`Bearer ${token}`);

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    // A browser cannot be tricked into this: it sends no bearer token by itself.
    if (!timingSafeEqual(digest(req.headers.authorization ?? ''), expected)) {
      throw sluiceError('gateway_admin_refused', { reason: 'the bearer token is missing or wrong' });
    }
    switch (`${req.method} ${req.url}`) {
      case 'GET /status':
        send(res, 200, await gateway.report());
        return;
      case 'GET /counts':
        send(res, 200, await gateway.counts());
        return;
      case 'GET /metrics': {
        const { contentType, body } = expose(gatewayFamilies(await gateway.counts()), req.headers.accept);
        res.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body);
        return;
      }
      case 'PUT /table':
        await gateway.apply(await readJson(req));
        send(res, 200, { version: gateway.tableVersion() });
        return;
      case 'PATCH /table':
        await gateway.amend(await readJson(req));
        send(res, 200, { version: gateway.tableVersion() });
        return;
      case 'POST /drain-and-exit': {
        const deadlineMs = deadlineOf(await readJson(req));
        res.once('close', () => onDrainRequested(deadlineMs));
        send(res, 202, { deadlineMs });
        return;
      }
      case 'POST /hand-over': {
        const body = await readJson(req);
        await handOver(programOf(body), deadlineOf(body, defaultHandOverMs));
        send(res, 200, {});
        return;
      }
      default:
        send(res, 404, { error: { code: 'gateway_route_unknown', message: 'No such route.', help: '' } });
    }
  };

  return http.createServer({ keepAliveTimeout: 5_000 }, (req, res) => {
    handle(req, res).catch((error: unknown) => {
      const { code, status, message, help } = toSluiceError(error);
      send(res, status, { error: { code, message, help } });
    });
  });
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

function programOf(body: unknown): readonly [string, ...string[]] {
  const program = typeof body === 'object' && body !== null && 'program' in body ? body.program : undefined;
  const parts: readonly unknown[] = Array.isArray(program) ? program : [];
  const [command, ...parameters] = parts.filter((part) => typeof part === 'string');
  if (command === undefined || parts.length !== parameters.length + 1) {
    throw sluiceError('gateway_start_failed', { reason: 'the program to take over is not given.' });
  }
  return [command, ...parameters];
}

function deadlineOf(body: unknown, fallbackMs = defaultDrainMs): number {
  const wanted = typeof body === 'object' && body !== null && 'deadlineMs' in body ? body.deadlineMs : undefined;
  return typeof wanted === 'number' && wanted >= 0 ? wanted : fallbackMs;
}

async function readJson(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > largestTable) throw sluiceError('gateway_table_invalid', { reason: 'it is larger than 64 MiB' });
    chunks.push(chunk);
  }
  if (length === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw sluiceError('gateway_table_invalid', { reason: 'it is not JSON' });
  }
}

function send(res: ServerResponse, status: number, body: unknown): void {
  if (res.headersSent || res.destroyed) return;
  const text = JSON.stringify(body);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), 'cache-control': 'no-store' });
  res.end(text);
}
