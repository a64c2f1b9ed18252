import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { sluiceError, toSluiceError } from '../../errors/sluice-error.ts';
import { contextLimitBytes } from '../../flags/context.ts';
import { lastSeen, type OfrepAnswer } from '../../flags/ofrep/answers.ts';
import { answerHeaders, isOurFault } from '../error-answer.ts';
import { refuseForeignHost } from '../host-check.ts';
import type { ApiDependencies } from '../ports.ts';
import { route } from '../register.ts';
import { createChangeFeed } from './change-feed.ts';
import { changeStream } from './change-stream.ts';
import { evaluatorOf, type KnownEvaluator, mayStill, ticketHolder } from './evaluator.ts';
import { type Answer, type Asked, askedOf, send } from './exchange.ts';
import { ofrepRoutes, singlePrefix, streamPath } from './ofrep-routes.ts';

/** Keys go in headers a page has to set itself, so a page of any origin may ask: it has nothing the browser would add. */
const corsHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'ETag, Retry-After',
};
const everyHeaders: Readonly<Record<string, string>> = { ...answerHeaders, ...corsHeaders };
const preflightHeaders: Readonly<Record<string, string>> = {
  ...corsHeaders,
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-allow-headers':
    'Authorization, Content-Type, If-None-Match, Last-Event-ID, X-API-Key, X-Sluice-Environment, X-Sluice-Release',
  'access-control-max-age': '7200',
};

/** The routes of OFREP. Their errors are those of the protocol, not those of the rest of the API. */
export function registerOfrep(app: OpenAPIHono, dependencies: ApiDependencies): void {
  const { evaluation, closing, allowedHosts, clock } = dependencies;
  const feed = createChangeFeed({ sets: evaluation.sets, clock, closing, mayStill: (evaluator) => mayStill(evaluator, dependencies) });

  let opened = 0;
  /** Clients of a control plane that was killed come again soon, and not all at one moment. */
  const nextRetryMs = (): number => retryMs.least + retryMs.step * (opened++ % retryMs.steps);

  /** Nobody without a right learns anything of flags. */
  const admitted = async (asked: Asked): Promise<KnownEvaluator> => {
    const ticket = asked.path === streamPath ? asked.query.get('ticket') : null;
    return ticket === null ? evaluatorOf(asked, dependencies) : ticketHolder(ticket, dependencies);
  };

  /** A fetch that a stream of changes has asked for comes out of no budget. */
  const isAwaited = async ({ query }: Asked, { holder, environment }: KnownEvaluator): Promise<boolean> => {
    const told = query.get(toldRevision);
    if (told === null) return false;
    const { revision } = await evaluation.sets.of(environment);
    return told === String(revision) && evaluation.streams.takeFetch(holder, revision);
  };

  const guarded =
    (path: string, answer: (asked: Asked, evaluator: KnownEvaluator) => Promise<Answer | Response>) =>
    async (context: Context): Promise<Response> => {
      const asked = askedOf(context);
      const answered = async (): Promise<Answer | Response> => {
        try {
          if (closing.aborted) throw sluiceError('shutting_down', {});
          refuseForeignHost(asked, allowedHosts);
          const evaluator = await admitted(asked);
          const seconds = (await isAwaited(asked, evaluator)) ? undefined : evaluation.budget.take(evaluator.holder);
          return seconds === undefined ? await answer(asked, evaluator) : tooMany(asked, seconds);
        } catch (thrown) {
          if (isOurFault(thrown)) dependencies.report(toSluiceError(thrown), { method: asked.method, path });
          return errorAnswer(dependencies.secrets.scrubError(thrown), keyOf(asked));
        }
      };
      const result = await answered();
      return result instanceof Response ? result : send(context, result);
    };

  const { evaluateFlag, evaluateFlags, flagChanges, preflight } = ofrepRoutes;
  route(
    app,
    evaluateFlags,
    guarded(evaluateFlags.path, async (asked, evaluator) => {
      const ticket = evaluation.tickets.issue(evaluator);
      const answer = await evaluation.ofrep.bulk(evaluator, {
        body: await textOf(asked),
        ifNoneMatch: asked.headers.get('if-none-match') ?? undefined,
        flagConfigEtag: asked.query.get(toldRevision) ?? undefined,
        eventStream: `${streamPath}?ticket=${ticket}`,
      });
      return withHeaders(answer);
    }),
  );
  route(
    app,
    evaluateFlag,
    guarded(evaluateFlag.path, async (asked, evaluator) =>
      withHeaders(await evaluation.ofrep.single(evaluator, keyOf(asked) ?? '', await textOf(asked))),
    ),
  );
  route(
    app,
    flagChanges,
    guarded(flagChanges.path, async (asked, evaluator) => {
      const seen = lastSeen(asked.headers.get('last-event-id') ?? undefined, await evaluation.sets.of(evaluator.environment));
      const giveBack = evaluation.streams.open(evaluator.holder);
      if (giveBack === undefined) return tooMany(asked, 60);
      return changeStream((reader) => feed.join(evaluator, seen, reader), { retryMs: nextRetryMs(), giveBack, headers: corsHeaders });
    }),
  );
  route(app, preflight, async () => new Response(null, { status: 204, headers: preflightHeaders }));
}

const retryMs = { least: 400, step: 25, steps: 10 };

/** What an event has told, which the fetch after it says again. */
const toldRevision = 'flagConfigEtag';

/** The flag's key as it stands in the path; undefined where the path has none. */
function keyOf({ url }: Asked): string | undefined {
  const { pathname } = new URL(url);
  return pathname.startsWith(singlePrefix) ? pathname.slice(singlePrefix.length) : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

async function textOf(asked: Asked): Promise<string> {
  if (Number(asked.headers.get('content-length') ?? '0') > contextLimitBytes)
    throw sluiceError('body_too_large', { limit: contextLimitBytes });
  const bytes = await asked.body(contextLimitBytes);
  try {
    return utf8.decode(bytes);
  } catch {
    // Not JSON either: the answer to that is the protocol's.
    return '\uFFFD';
  }
}

function withHeaders({ status, headers, body }: OfrepAnswer): Answer {
  return { status, headers: { ...everyHeaders, ...headers }, ...(body !== undefined && { body }) };
}

function tooMany(asked: Asked, seconds: number): Answer {
  return errorAnswer(sluiceError('too_many_evaluations', { seconds }), keyOf(asked), seconds);
}

function errorAnswer(thrown: unknown, key: string | undefined, retryAfter?: number): Answer {
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
  return {
    status,
    headers: {
      ...everyHeaders,
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
      ...(status === 503 && { 'retry-after': '1' }),
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    },
    body: JSON.stringify({ ...shown, errorCode, errorDetails }),
  };
}

function decodedOr(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
