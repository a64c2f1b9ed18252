import { createChatModel } from './chat-completions.ts';
import { compose, type Composed } from './extractive.ts';
import type { Evidence } from './evidence.ts';
import type { Prompt } from './prompts.ts';
import type { Question } from './request.ts';

/** Words an answer from the evidence. Rejects with a refusal (502) when it cannot. */
export type Model = (question: Question, evidence: Evidence, gone: AbortSignal) => Promise<Worded>;
export type Worded =
  | { readonly kind: 'text'; readonly composed: Composed }
  | { readonly kind: 'clarify'; readonly reason: string }
  | { readonly kind: 'escalate'; readonly reason: string };

const builtIn = 'extractive-small';

/**
 * The model block of the stack arrives as JSON in SLUICE_MODEL. With MODEL_URL the named model is asked over HTTP; without it only the
 * built-in one can be named, and any other name stops the agent at its start.
 */
export function createModel(environment: NodeJS.ProcessEnv, system: Prompt): { readonly name: string; readonly model: Model } {
  const declared = JSON.parse(environment['SLUICE_MODEL'] ?? '{}') as { name?: string; parameters?: Record<string, unknown> };
  const name = declared.name ?? builtIn;
  const parameters = declared.parameters ?? {};
  const url = environment['MODEL_URL'] ?? '';
  if (url !== '') {
    const timeoutMs = Number(environment['MODEL_TIMEOUT_MS'] ?? 20_000);
    return { name, model: createChatModel({ url, key: environment['MODEL_API_KEY'] ?? '', name, parameters, timeoutMs, system }) };
  }
  if (name !== builtIn)
    throw new Error(`the model '${name}' is not built in: set MODEL_URL to the endpoint that serves it, or declare ${builtIn}`);
  const maximum = Number(parameters['max_sentences'] ?? 3);
  if (!Number.isInteger(maximum) || maximum < 1) throw new Error("the model parameter 'max_sentences' must be a whole number from 1 on");
  return { name, model: async (_question, evidence) => ({ kind: 'text', composed: compose(evidence, maximum) }) };
}
