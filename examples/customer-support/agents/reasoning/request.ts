import { type Fields, objectOf, textOf } from './fields.ts';
import { refusal } from './refusal.ts';

/** What `POST /answer` takes. */
export interface Question {
  readonly question: string;
  /** Best first, as the retrieval agent finds them. */
  readonly passages: readonly Passage[];
  /** Earlier turns of the conversation, oldest first. */
  readonly history: readonly Turn[];
}

export interface Passage {
  readonly id: string;
  readonly title: string;
  /** Text; Markdown headings (`## `) in it start sections. */
  readonly passage: string;
  readonly tags: readonly string[];
  readonly score: number;
}

export type Decision = 'answer' | 'clarify' | 'escalate';

interface Turn {
  readonly message: string;
  readonly answer: string;
  readonly decision: Decision;
}

const decisions: readonly unknown[] = ['answer', 'clarify', 'escalate'];

/** Refuses with 400 what does not fit, and names the field. */
export function parseQuestion(body: unknown): Question {
  const { question, passages, history } = objectOf(body, 'the body');
  return {
    question: textOf(question, 'question', 8_000),
    passages: listOf(passages, 'passages', 20).map((item, index) =>
      parsePassage(objectOf(item, `'passages.${index}'`), `passages.${index}`),
    ),
    history: listOf(history ?? [], 'history', 50).map((item, index) => parseTurn(objectOf(item, `'history.${index}'`), `history.${index}`)),
  };
}

function parsePassage({ id, title, passage, tags, score }: Fields, name: string): Passage {
  if (typeof score !== 'number' || !Number.isFinite(score)) throw refusal(400, 'invalid_request', `'${name}.score' must be a number`);
  return {
    id: textOf(id, `${name}.id`, 100),
    title: textOf(title, `${name}.title`, 200),
    passage: textOf(passage, `${name}.passage`, 10_000),
    tags: listOf(tags ?? [], `${name}.tags`, 50).map((tag) => textOf(tag, `${name}.tags`, 100)),
    score,
  };
}

function parseTurn({ message, answer, decision }: Fields, name: string): Turn {
  if (!decisions.includes(decision)) throw refusal(400, 'invalid_request', `'${name}.decision' must be one of ${decisions.join(', ')}`);
  return {
    message: textOf(message, `${name}.message`, 8_000),
    answer: textOf(answer, `${name}.answer`, 20_000),
    decision: decision as Decision,
  };
}

function listOf(value: unknown, name: string, limit: number): readonly unknown[] {
  if (!Array.isArray(value)) throw refusal(400, 'invalid_request', `'${name}' must be a list`);
  if (value.length > limit) throw refusal(400, 'invalid_request', `'${name}' has ${value.length} entries; at most ${limit} are taken`);
  return value;
}
