import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { authorize } from '../access/guard.ts';
import { sluiceError, toSluiceError } from '../errors/sluice-error.ts';
import type { AccessRule, Endpoint, TextAnswer } from './endpoint.ts';
import { answerHeaders, errorResponse, isOurFault } from './error-answer.ts';
import { eventStreamResponse, type MessageStream } from './event-stream.ts';
import type { Call, Handler } from './handler.ts';
import { refuseForeignHost } from './host-check.ts';
import { audited } from './audited.ts';
import { demandRepeatable, idempotencyHeader, readIdempotencyKey } from './idempotency.ts';
import { readJson, readQuery, readReason, refuseLargeBody, validated } from './input.ts';
import type { ApiDependencies } from './ports.ts';
import { errorAnswer } from './schemas/error.ts';

const timeLimitSeconds = 120;

/** The rule under which each registered handler answers. A handler that is not in here was put into the router past `register`. */
const accessRules = new WeakMap<object, AccessRule>();

/**
 * The one way into the router. In this order: host, declared size, key and permission, then query, parameters and body; so that nobody
 * without the right learns anything about inputs or objects.
 */
export function register<Row extends Endpoint>(app: OpenAPIHono, row: Row, handler: Handler<Row>, dependencies: ApiDependencies): void {
  const answer = async (context: Context): Promise<Response> => {
    if (dependencies.closing.aborted) throw sluiceError('shutting_down', {});
    refuseForeignHost(context.req.raw, dependencies.allowedHosts);
    refuseLargeBody(context.req.raw);
    const actor =
      'permission' in row.access
        ? await authorize(dependencies.keyring, context.req.header('authorization'), row.access.permission)
        : undefined;
    const call = {
      parameters: validated('path', row.parameters, context.req.param()),
      query: validated('query', row.query, readQuery(context.req.url)),
      body: row.body === undefined ? undefined : validated('body', row.body, await readJson(context.req.raw)),
      actor,
      lastEventId: context.req.header('last-event-id'),
      accept: context.req.header('accept'),
      reason: readReason(context.req.header('x-sluice-reason')),
      idempotencyKey: row.idempotency && readIdempotencyKey(context.req.header('idempotency-key')),
    } as Call<Row>;
    demandRepeatable(row, call);
    const result = await audited(row, call as Call<Endpoint>, dependencies, () => inTime(handler(call), dependencies));
    if (row.streams && isStream(result)) return eventStreamResponse(result, dependencies);
    if (row.text !== undefined && isText(result)) {
      return new Response(result.body, { status: row.status, headers: { ...answerHeaders, 'content-type': result.contentType } });
    }
    return Response.json(result, { status: row.status, headers: answerHeaders });
  };

  const guarded = async (context: Context): Promise<Response> => {
    try {
      return await answer(context);
    } catch (thrown) {
      if (isOurFault(thrown)) dependencies.report(toSluiceError(thrown), { method: context.req.method, path: row.path });
      return errorResponse(dependencies.secrets.scrubError(thrown));
    }
  };
  route(app, { method: row.method.toUpperCase(), path: row.path.replaceAll(/\{(\w+)\}/g, ':$1'), access: row.access }, guarded);
  describe(app, row);
}

/** Puts a handler into the router, with the rule that it has to see to itself. */
export function route(
  app: OpenAPIHono,
  { method, path, access }: { readonly method: string; readonly path: string; readonly access: AccessRule },
  handler: (context: Context) => Promise<Response>,
): void {
  accessRules.set(handler, access);
  app.on(method, path, handler);
}

/** Throws when the router holds a handler without an access rule. */
export function demandAccessRules(app: OpenAPIHono): void {
  for (const { method, path, handler } of app.routes) {
    if (!accessRules.has(handler)) throw new Error(`the route ${method} ${path} has no access rule`);
  }
}

async function inTime<Value>(work: Promise<Value>, { clock }: ApiDependencies): Promise<Value> {
  const done = new AbortController();
  try {
    return await Promise.race([
      work,
      clock.sleep(timeLimitSeconds * 1000, done.signal).then(() => {
        throw sluiceError('request_timed_out', { seconds: timeLimitSeconds });
      }),
    ]);
  } finally {
    done.abort();
  }
}

function isStream(result: unknown): result is MessageStream {
  return typeof result === 'object' && result !== null && 'messages' in result && typeof result.messages === 'function';
}

function isText(result: unknown): result is TextAnswer {
  return typeof result === 'object' && result !== null && 'contentType' in result && 'body' in result;
}

function describe(app: OpenAPIHono, row: Endpoint): void {
  const isPublic = 'public' in row.access;
  app.openAPIRegistry.registerPath({
    method: row.method,
    path: row.path,
    summary: row.summary,
    ...('permission' in row.access && { description: `Needs the permission \`${row.access.permission}\`.` }),
    security: isPublic ? [] : [{ key: [] }],
    request: {
      ...(row.parameters && { params: row.parameters }),
      ...(row.query && { query: row.query }),
      ...(row.idempotency && { headers: idempotencyHeader(row.idempotency) }),
      ...(row.body && { body: { required: true, content: { 'application/json': { schema: row.body } } } }),
    },
    responses: {
      [row.status]: {
        description: row.summary,
        content: {
          [row.text ?? 'application/json']: { schema: row.answer },
          ...(row.streams && { 'text/event-stream': { schema: { type: 'string' as const } } }),
        },
      },
      default: { description: 'Any error', content: { 'application/json': { schema: errorAnswer } } },
    },
  });
}
