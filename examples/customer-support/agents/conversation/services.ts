import { log } from './log.ts';
import { refusal } from './refusal.ts';
import type { Decision, Turn } from './sessions.ts';

interface Hit {
  readonly id: string;
  readonly title: string;
  readonly passage: string;
  readonly score: number;
}

export interface Reasoned {
  readonly decision: Decision;
  readonly answer: string;
  readonly citations: readonly { readonly id: string; readonly title: string }[];
}

interface Interaction extends Turn {
  readonly session: string;
  readonly citations: readonly string[];
  readonly durationMs: number;
}

/** The agents this one may call (`calls` in the stack). Every call has a deadline; what fails rejects with a refusal, 502 or 504. */
export interface Services {
  search(query: string, gone: AbortSignal): Promise<readonly Hit[]>;
  reason(question: { question: string; passages: readonly Hit[]; history: readonly Turn[] }, gone: AbortSignal): Promise<Reasoned>;
  recall(session: string): Promise<readonly Turn[]>;
  record(interaction: Interaction): Promise<void>;
}

interface Call {
  readonly service: string;
  readonly path: string;
  readonly body?: unknown;
  readonly timeoutMs: number;
  readonly gone?: AbortSignal;
}

const decisions = new Set<unknown>(['answer', 'clarify', 'escalate']);

/** `url` is the internal listener of the gateway, `token` says who calls: SLUICE_SERVICES_URL and SLUICE_TOKEN. */
export function createServices(url: string, token: string): Services {
  return {
    async search(query, gone) {
      const path = `/search?${new URLSearchParams({ q: query.slice(0, 1_000), limit: '5' }).toString()}`;
      const { hits } = (await call({ service: 'retrieval-agent', path, timeoutMs: 2_000, gone })) as { hits?: readonly Hit[] };
      if (!Array.isArray(hits)) throw unexpected('retrieval-agent');
      return hits;
    },
    async reason(body, gone) {
      const answer = (await call({ service: 'reasoning-agent', path: '/answer', body, timeoutMs: 25_000, gone })) as Partial<Reasoned>;
      if (typeof answer.answer !== 'string' || !decisions.has(answer.decision) || !Array.isArray(answer.citations)) {
        throw unexpected('reasoning-agent');
      }
      return answer as Reasoned;
    },
    async recall(session) {
      const path = `/interactions?${new URLSearchParams({ session, limit: '10' }).toString()}`;
      const { interactions } = (await call({ service: 'logging-agent', path, timeoutMs: 500 })) as { interactions?: readonly Turn[] };
      if (!Array.isArray(interactions)) throw unexpected('logging-agent');
      return interactions.map(({ id, at, message, answer, decision }) => ({ id, at, message, answer, decision }));
    },
    async record(body) {
      await call({ service: 'logging-agent', path: '/interactions', body, timeoutMs: 3_000 });
    },
  };

  async function call({ service, path, body, timeoutMs, gone }: Call): Promise<unknown> {
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${url}/${service}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'x-sluice-token': token, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: gone ? AbortSignal.any([gone, deadline]) : deadline,
        redirect: 'error',
      });
      const content: unknown = await response.json().catch((error: unknown) => {
        if (deadline.aborted) throw error;
        return undefined;
      });
      if (response.ok && typeof content === 'object' && content !== null) return content;
      const reason = (content as { error?: { message?: unknown } } | undefined)?.error?.message;
      log('warn', 'a call failed', { service, status: response.status, reason });
      throw refusal(
        502,
        'agent_failed',
        typeof reason === 'string' ? `${service}: ${reason}` : `${service} answered with status ${response.status}`,
      );
    } catch (error) {
      if (error instanceof Error && error.name === 'Refusal') throw error;
      log('warn', 'a call failed', { service, error: error instanceof Error ? error.message : String(error) });
      if (deadline.aborted) throw refusal(504, 'agent_timeout', `${service} did not answer within ${timeoutMs} ms`);
      throw refusal(502, 'agent_unreachable', `${service} cannot be reached`);
    }
  }
}

function unexpected(service: string): Error {
  return refusal(502, 'agent_failed', `${service} gave an answer this agent does not understand`);
}
