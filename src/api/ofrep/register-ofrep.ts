import type { OpenAPIHono } from '@hono/zod-openapi';
import { sluiceError, toSluiceError } from '../../errors/sluice-error.ts';
import { contextLimitBytes } from '../../flags/context.ts';
import { changeMessage, lastSeen, type OfrepAnswer } from '../../flags/ofrep/answers.ts';
import { answerHeaders, isOurFault } from '../error-answer.ts';
import { eventStreamResponse, type MessageStream } from '../event-stream.ts';
import { refuseForeignHost } from '../host-check.ts';
import { readLimited } from '../input.ts';
import type { ApiDependencies } from '../ports.ts';
import { route } from '../register.ts';
import { evaluatorOf, type KnownEvaluator, mayStill, ticketHolder } from './evaluator.ts';
import { ofrepRoutes, singlePrefix, streamPath } from './ofrep-routes.ts';

/** Keys go in headers a page has to set itself, so a page of any origin may ask: it has nothing the browser would add. */
const corsHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'ETag, Retry-After',
};
const preflightHeaders: Readonly<Record<string, string>> = {
  ...corsHeaders,
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-allow-headers':
    'Authorization, Content-Type, If-None-Match, Last-Event-ID, X-API-Key, X-Sluice-Environment, X-Sluice-Release',
  'access-control-max-age': '7200',
};

/** The routes of OFREP. Their errors are those of the protocol, not those of the rest of the API. */
export function registerOfrep(app: OpenAPIHono, dependencies: ApiDependencies): void {
  const { evaluation, closing, allowedHosts } = dependencies;

  /** Nobody without a right learns anything of flags. */
  const admitted = async (request: Request): Promise<KnownEvaluator> => {
    const ticket = new URL(request.url).pathname === streamPath ? new URL(request.url).searchParams.get('ticket') : null;
    const evaluator = ticket === null ? await evaluatorOf(request, dependencies) : await ticketHolder(ticket, dependencies);
    return evaluator;
  };

  /** A fetch that a stream of changes has asked for comes out of no budget. */
  const isAwaited = async (request: Request, { holder, environment }: KnownEvaluator): Promise<boolean> => {
    const told = flagConfigEtagOf(request);
    if (told === undefined) return false;
    const { revision } = await evaluation.sets.of(environment);
    return told === String(revision) && evaluation.streams.takeFetch(holder, revision);
  };

  const guarded =
    (path: string, answer: (request: Request, evaluator: KnownEvaluator) => Promise<Response>) =>
    async (context: { req: { raw: Request } }): Promise<Response> => {
      const request = context.req.raw;
      try {
        if (closing.aborted) throw sluiceError('shutting_down', {});
        refuseForeignHost(request, allowedHosts);
        const evaluator = await admitted(request);
        const seconds = (await isAwaited(request, evaluator)) ? undefined : evaluation.budget.take(evaluator.holder);
        return seconds === undefined ? await answer(request, evaluator) : tooMany(request, seconds);
      } catch (thrown) {
        if (isOurFault(thrown)) dependencies.report(toSluiceError(thrown), { method: request.method, path });
        return errorAnswer(dependencies.secrets.scrubError(thrown), keyOf(request));
      }
    };

  const { evaluateFlag, evaluateFlags, flagChanges, preflight } = ofrepRoutes;
  route(
    app,
    evaluateFlags,
    guarded(evaluateFlags.path, async (request, evaluator) => {
      const ticket = evaluation.tickets.issue(evaluator);
      const answer = await evaluation.ofrep.bulk(evaluator, {
        body: await textOf(request),
        ifNoneMatch: request.headers.get('if-none-match') ?? undefined,
        flagConfigEtag: flagConfigEtagOf(request),
        eventStream: `${streamPath}?ticket=${ticket}`,
      });
      return toResponse(answer);
    }),
  );
  route(
    app,
    evaluateFlag,
    guarded(evaluateFlag.path, async (request, evaluator) =>
      toResponse(await evaluation.ofrep.single(evaluator, keyOf(request) ?? '', await textOf(request))),
    ),
  );
  route(
    app,
    flagChanges,
    guarded(flagChanges.path, async (request, evaluator) => {
      const { holder, environment } = evaluator;
      const set = await evaluation.sets.of(environment);
      const seen = lastSeen(request.headers.get('last-event-id') ?? undefined, set);
      const leave = evaluation.streams.open(holder);
      if (leave === undefined) return tooMany(request, 60);
      const messages = async function* (signal: AbortSignal) {
        for await (const newer of evaluation.sets.follow(environment, seen, signal)) {
          if (!(await mayStill(evaluator, dependencies))) return;
          yield changeMessage(newer);
        }
      };
      const stream: MessageStream = {
        retryMs: 1_000,
        messages: (signal) => {
          signal.addEventListener('abort', leave, { once: true });
          return untilEnd(messages(signal), leave);
        },
      };
      const response = eventStreamResponse(stream, dependencies);
      for (const [name, value] of Object.entries(corsHeaders)) response.headers.set(name, value);
      return response;
    }),
  );
  route(app, preflight, async () => new Response(null, { status: 204, headers: preflightHeaders }));
}

async function* untilEnd<Value>(source: AsyncIterable<Value>, ended: () => void): AsyncGenerator<Value> {
  try {
    yield* source;
  } finally {
    ended();
  }
}

/** The flag's key as it stands in the path; undefined where the path has none. */
function keyOf(request: Request): string | undefined {
  const { pathname } = new URL(request.url);
  return pathname.startsWith(singlePrefix) ? pathname.slice(singlePrefix.length) : undefined;
}

function flagConfigEtagOf(request: Request): string | undefined {
  return new URL(request.url).searchParams.get('flagConfigEtag') ?? undefined;
}

async function textOf(request: Request): Promise<string> {
  const declared = request.headers.get('content-length');
  if (Number(declared ?? '0') > contextLimitBytes) throw sluiceError('body_too_large', { limit: contextLimitBytes });
  // A body of a declared length cannot be longer, and is read without a stream: after a change a thousand clients ask at one moment.
  const bytes = declared === null ? await readLimited(request, contextLimitBytes) : await request.arrayBuffer();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Not JSON either: the answer to that is the protocol's.
    return '\uFFFD';
  }
}

function toResponse({ status, headers, body }: OfrepAnswer): Response {
  const all = { ...answerHeaders, ...corsHeaders, ...headers };
  return body === undefined ? new Response(null, { status, headers: all }) : Response.json(body, { status, headers: all });
}

function tooMany(request: Request, seconds: number): Response {
  return errorAnswer(sluiceError('too_many_evaluations', { seconds }), keyOf(request), seconds);
}

function errorAnswer(thrown: unknown, key: string | undefined, retryAfter?: number): Response {
  const error = toSluiceError(thrown);
  const isInternal = error.code === 'internal_error';
  const isTooLarge = error.code === 'body_too_large';
  const status = isTooLarge ? 400 : error.status >= 400 ? error.status : 500;
  const errorCode = isTooLarge ? 'INVALID_CONTEXT' : 'GENERAL';
  const errorDetails = isInternal
    ? 'An unexpected error, written to the log of the control plane.'
    : isTooLarge
      ? `The body is larger than ${contextLimitBytes} bytes: a context has the attributes that rules ask for, and no documents.`
      : `${error.message} ${error.help}`;
  const shown = key === undefined ? {} : { key: decodedOr(key) };
  return Response.json(
    { ...shown, errorCode, errorDetails },
    {
      status,
      headers: {
        ...answerHeaders,
        ...corsHeaders,
        ...(status === 401 && { 'www-authenticate': 'Bearer' }),
        ...(status === 503 && { 'retry-after': '1' }),
        ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
      },
    },
  );
}

function decodedOr(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
