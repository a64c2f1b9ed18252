import { log } from './log.ts';
import type { Model, Worded } from './model.ts';
import type { Prompt } from './prompts.ts';
import { refusal } from './refusal.ts';
import type { Passage } from './request.ts';

export interface ChatEndpoint {
  /** Base address such as `https://api.openai.com/v1`. */
  readonly url: string;
  /** Sent as a bearer token unless empty. */
  readonly key: string;
  readonly name: string;
  /** Passed on as they are: temperature, max_tokens, seed, ... */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
  readonly system: Prompt;
}

/** Of an answer, in characters: it has to fit into the history and the log. */
const longestAnswer = 10_000;

/**
 * Asks any endpoint that speaks OpenAI's chat completions. It does not fall back to the built-in model when the endpoint fails: two
 * models behind one release would make its evidence worthless. The caller gets 502 and the reason.
 */
export function createChatModel({ url, key, name, parameters, timeoutMs, system }: ChatEndpoint): Model {
  const address = new URL(`${url.replace(/\/+$/, '')}/chat/completions`);
  return async ({ question, history }, { ranked }, gone) => {
    const passages = ranked.map(({ passage }) => passage);
    const earlier = history.flatMap((turn) => [
      { role: 'user', content: turn.message },
      { role: 'assistant', content: turn.answer },
    ]);
    const messages = [{ role: 'system', content: system({ passages: render(passages) }) }, ...earlier, { role: 'user', content: question }];
    const content = await complete({ ...parameters, model: name, messages });
    return interpret(content, passages);

    async function complete(body: unknown): Promise<string> {
      const response = await fetch(address, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(key !== '' && { authorization: `Bearer ${key}` }) },
        body: JSON.stringify(body),
        signal: AbortSignal.any([gone, AbortSignal.timeout(timeoutMs)]),
        redirect: 'error',
      }).catch((error: unknown) => {
        throw unavailable(isTimeout(error) ? `it did not answer within ${timeoutMs} ms` : 'it cannot be reached');
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw unavailable(`it answered with status ${response.status}`);
      }
      const completion = (await response.json().catch((error: unknown) => {
        throw unavailable(isTimeout(error) ? `it did not answer within ${timeoutMs} ms` : 'its answer is not JSON');
      })) as { choices?: { message?: { content?: unknown } }[] } | null;
      const text = completion?.choices?.[0]?.message?.content;
      if (typeof text !== 'string' || text.trim() === '') throw unavailable('its answer holds no text');
      if (text.length > longestAnswer) throw unavailable(`its answer is longer than ${longestAnswer} characters`);
      return text.trim();
    }
  };
}

/** `CLARIFY:` and `ESCALATE:` are the model's way out. A text that cites none of the passages is not grounded and is not passed on. */
function interpret(content: string, passages: readonly Passage[]): Worded {
  const [, way, reason = ''] = /^(CLARIFY|ESCALATE):\s*(.*)$/s.exec(content) ?? [];
  if (way !== undefined)
    return way === 'CLARIFY' ? { kind: 'clarify', reason: reason.trim() } : { kind: 'escalate', reason: reason.trim() };
  const cited = [...content.matchAll(/\[([^[\]\s]+)\]/g)].map(([, id]) => id as string);
  const citations = [...new Set(cited)].filter((id) => passages.some((passage) => passage.id === id));
  if (citations.length === 0) return { kind: 'clarify', reason: '' };
  return { kind: 'text', composed: { text: content, citations } };
}

function render(passages: readonly Passage[]): string {
  return passages.map(({ id, title, passage }) => `[${id}] ${title}\n${passage}`).join('\n\n');
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

function unavailable(reason: string): Error {
  log('warn', 'the model failed', { reason });
  return refusal(502, 'model_unavailable', `the model cannot answer: ${reason}`);
}
