import { type Evidence, weigh } from './evidence.ts';
import type { Model } from './model.ts';
import { escalationFor, type Policy } from './policy.ts';
import type { Prompt } from './prompts.ts';
import type { Decision, Passage, Question } from './request.ts';

export interface Reply {
  readonly decision: Decision;
  readonly answer: string;
  readonly citations: readonly { readonly id: string; readonly title: string }[];
  /** Why it was decided so; for logs and for people who tune the policy. */
  readonly reason: string;
}

export interface Reasoning {
  readonly policy: Policy;
  readonly prompts: Readonly<Record<'clarify' | 'clarify-unknown' | 'escalate', Prompt>>;
  readonly model: Model;
}

/**
 * The order matters: what the policy gives to a person never reaches a model; what the knowledge does not cover is asked back instead of
 * guessed; after too many questions back a person takes over.
 */
export async function decide({ policy, prompts, model }: Reasoning, question: Question, gone: AbortSignal): Promise<Reply> {
  const rule = escalationFor(policy, question.question);
  if (rule) return escalate(rule.reason, `policy: ${rule.name}`);

  const evidence = weigh(question.question, question.passages);
  const doubt = doubtAbout(evidence, policy);
  if (doubt !== undefined) return clarify(doubt);

  const worded = await model(question, evidence, gone);
  if (worded.kind === 'escalate') return escalate(worded.reason || 'this needs a person', 'the model asked for a person');
  if (worded.kind === 'clarify') return clarify('the model has no grounded answer', worded.reason);
  const citations = worded.composed.citations.flatMap((id) => question.passages.filter((passage) => passage.id === id).slice(0, 1));
  return {
    decision: 'answer',
    answer: worded.composed.text,
    citations: citations.map(({ id, title }) => ({ id, title })),
    reason: 'covered by the knowledge',
  };

  function escalate(because: string, reason: string): Reply {
    return { decision: 'escalate', answer: prompts.escalate({ reason: because }), citations: [], reason };
  }

  function clarify(reason: string, wording = ''): Reply {
    const inARow = question.history.toReversed().findIndex((turn) => turn.decision !== 'clarify');
    const asked = inARow === -1 ? question.history.length : inARow;
    if (asked >= policy.clarifications) return escalate('I could not find out what you need', `asked back ${asked} times`);
    if (wording !== '') return { decision: 'clarify', answer: wording, citations: [], reason };
    const topics = evidence.ranked.slice(0, 3).map(({ passage }) => passage);
    const answer = topics.length === 0 ? prompts['clarify-unknown']({}) : prompts.clarify({ topics: list(topics) });
    return { decision: 'clarify', answer, citations: [], reason };
  }
}

function doubtAbout({ asked, ranked }: Evidence, { evidence: { coverage, ambiguity } }: Policy): string | undefined {
  const [best, second] = ranked;
  if (best === undefined) return asked.length === 0 ? 'the question names no subject' : 'the knowledge has nothing on it';
  if (best.coverage < coverage) return `the best article covers ${Math.round(best.coverage * 100)}% of the question`;
  const tie = second !== undefined && second.strength >= best.strength * ambiguity;
  return asked.length === 1 && tie ? 'several articles fit one word equally well' : undefined;
}

/** `A`, `A or B`, `A, B or C`. */
function list(passages: readonly Passage[]): string {
  const titles = passages.map(({ title }) => `"${title}"`);
  return titles.length < 2 ? titles.join('') : `${titles.slice(0, -1).join(', ')} or ${titles.at(-1)}`;
}
