import { decide, type Reasoning } from './decide.ts';
import type { Decision, Passage } from './request.ts';

const passages: readonly Passage[] = [
  {
    id: 'selftest-refunds',
    title: 'Refunds',
    passage: 'A device can be returned within 30 days for a full refund. The return label is free.',
    tags: ['refund', 'money back'],
    score: 10,
  },
];

const cases: readonly { readonly question: string; readonly expected: Decision }[] = [
  { question: 'Can I return a device for a refund?', expected: 'answer' },
  { question: 'Does the purple elephant sing?', expected: 'clarify' },
  { question: 'I want to speak to a human', expected: 'escalate' },
];

export interface SelfTest {
  readonly ok: boolean;
  readonly cases: readonly { readonly question: string; readonly expected: Decision; readonly decided: string; readonly ok: boolean }[];
}

/** One question for each decision, through the release's own prompts, policy and model. For a smoke test before traffic comes. */
export async function selfTest(reasoning: Reasoning, gone: AbortSignal): Promise<SelfTest> {
  const results = await Promise.all(
    cases.map(async ({ question, expected }) => {
      const decided = await decide(reasoning, { question, passages, history: [] }, gone).then(
        ({ decision, citations }) => (decision === 'answer' && citations.length === 0 ? 'answer without a citation' : decision),
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      return { question, expected, decided, ok: decided === expected };
    }),
  );
  return { ok: results.every(({ ok }) => ok), cases: results };
}
