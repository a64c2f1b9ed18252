import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createChat } from './chat.ts';
import { objectOf, textOf } from './fields.ts';
import { createFlags } from './flags.ts';
import { log } from './log.ts';
import { sendPage } from './page.ts';
import { readPolicy } from './policy.ts';
import { readPrompts } from './prompts.ts';
import { refusal } from './refusal.ts';
import { sendJson, serve } from './serve.ts';
import { createServices } from './services.ts';
import { createSessions } from './sessions.ts';
import { streamAnswer } from './stream.ts';

const servicesUrl = process.env['SLUICE_SERVICES_URL'];
if (!servicesUrl) throw new Error('SLUICE_SERVICES_URL is not set: this agent runs under Sluice');
const ttlMs = 30 * 60_000;
const paceMs = Number(process.env['TOKEN_INTERVAL_MS'] ?? 0);

const prompts = readPrompts(process.env['SLUICE_PROMPTS'], [
  'answer',
  'answer-with-citations',
  'clarify',
  'escalate',
  'small-talk',
  'welcome',
]);
const policy = readPolicy(process.env['SLUICE_POLICY']);
const sessions = createSessions({ key: process.env['SESSION_KEY'] ?? '', maximum: 2_000, ttlMs, now: Date.now });
const services = createServices(servicesUrl, process.env['SLUICE_TOKEN'] ?? '');
const flags = createFlags(process.env['OFREP_ENDPOINT'], process.env['OFREP_HEADERS']);
const chat = createChat({ services, sessions, policy, prompts, flags });
log('info', 'ready', {});

serve(
  {
    'GET /healthz': (_request, response) => sendJson(response, 200, { status: 'ok' }),

    'GET /': (_request, response) => sendPage(response, prompts.welcome({})),

    /** Streams server-sent events, or answers with one JSON object to `accept: application/json`. See openapi.yaml. */
    'POST /chat': async ({ json, headers, gone }, response) => {
      const body = objectOf(await json(), 'the body');
      const text = textOf(body['message'], 'message', policy.maximumCharacters);
      const { id, token, known } = sessionOf(body['session'], headers.cookie);
      const { decision, answer, citations, cites, id: interaction } = await chat.answer({ session: id, known, text }, gone);
      response.setHeader('set-cookie', `session=${token}; Path=/; Max-Age=${ttlMs / 1_000}; HttpOnly; SameSite=Lax`);
      // What Sluice compares: the mix of decisions between releases, and what becomes of those a flag was served to.
      response.setHeader(
        'x-sluice-attributes',
        [`agent.decision=${decision}`, ...(cites ? [`flag.answer-with-citations=${cites}`, `flag-key=${shortDigest(id)}`] : [])].join(', '),
      );
      if (wantsJson(headers.accept)) return sendJson(response, 200, { session: token, interaction, decision, answer, citations });
      return stream(response, { answer, citations, done: { session: token, interaction, decision } }, gone);
    },
  },
  () => chat.settled(),
);

/** Who a flag was drawn for, without saying it: a session opens more than statistics. */
function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

/** The session of the body goes before that of the cookie. A cookie that cannot be read starts a new session; in a body it is a mistake. */
function sessionOf(given: unknown, cookie: string | undefined): { id: string; token: string; known: boolean } {
  const token = given === undefined ? (/(?:^|;\s*)session=([^;\s]+)/.exec(cookie ?? '')?.[1] ?? '') : textOf(given, 'session', 200);
  const id = sessions.verify(token);
  if (id !== undefined) return { id, token, known: true };
  if (given !== undefined)
    throw refusal(400, 'unknown_session', "'session' must be one this agent gave you; leave it out to start a new one");
  return { ...sessions.create(), known: false };
}

function wantsJson(accept = ''): boolean {
  return accept.includes('application/json') && !accept.includes('text/event-stream');
}

/** A client that leaves in the middle has its answer in the log. */
async function stream(response: ServerResponse, answer: Parameters<typeof streamAnswer>[1], gone: AbortSignal): Promise<void> {
  await streamAnswer(response, answer, paceMs, gone).catch((error: unknown) => {
    if (!gone.aborted) throw error;
  });
}
