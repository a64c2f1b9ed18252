import { randomUUID } from 'node:crypto';
import type { Flags } from './flags.ts';
import { log } from './log.ts';
import { isSmallTalk, type Policy, redacted } from './policy.ts';
import type { Prompt } from './prompts.ts';
import type { Reasoned, Services } from './services.ts';
import type { Sessions, Turn } from './sessions.ts';

interface Message {
  readonly session: string;
  /** Whether the session may have turns already. */
  readonly known: boolean;
  readonly text: string;
}

interface Answer extends Reasoned {
  /** Id of the interaction, as it is logged. */
  readonly id: string;
  /** Variant of the flag `answer-with-citations`; absent where it was not asked for. */
  readonly cites?: 'on' | 'off';
}

export interface Chat {
  /** Rejects with a refusal when retrieval or reasoning fail; a failing log costs nothing but the log. */
  answer(message: Message, gone: AbortSignal): Promise<Answer>;
  /** Resolves when every interaction is logged, or was given up. */
  settled(): Promise<void>;
}

export interface ChatParts {
  readonly flags: Flags;
  readonly services: Services;
  readonly sessions: Sessions;
  readonly policy: Policy;
  readonly prompts: Readonly<Record<'answer' | 'answer-with-citations' | 'clarify' | 'escalate' | 'small-talk', Prompt>>;
}

const turnsGiven = 6;

export function createChat({ services, sessions, policy, prompts, flags }: ChatParts): Chat {
  const recording = new Set<Promise<void>>();

  return {
    async answer({ session, known, text }, gone) {
      const startedAt = performance.now();
      const message = redacted(policy, text);
      const reasoned = isSmallTalk(policy, message)
        ? { decision: 'clarify' as const, answer: prompts['small-talk']({}), citations: [] }
        : await framed(await think(message, known ? await history(session) : [], gone), session);
      const turn = { id: randomUUID(), at: new Date().toISOString(), message, answer: reasoned.answer, decision: reasoned.decision };
      sessions.remember(session, turn);
      const durationMs = Math.round(performance.now() - startedAt);
      record({ ...turn, session, citations: reasoned.citations.map(({ id }) => id), durationMs });
      log('info', 'decided', { interaction: turn.id, decision: turn.decision, citations: reasoned.citations.length, ms: durationMs });
      return { ...reasoned, id: turn.id };
    },
    async settled() {
      await Promise.allSettled(recording);
    },
  };

  /**
   * A message is first taken as a question of its own. Where that is too little, or where it replies to a question of ours, it is read
   * together with the message before it: "refund", then "for a sensor".
   */
  async function think(message: string, turns: readonly Turn[], gone: AbortSignal): Promise<Reasoned> {
    const before = turns.at(-1);
    const together = before === undefined ? message : `${before.message} ${message}`;
    if (before === undefined || before.decision === 'escalate') return ask(message, turns, gone);
    if (before.decision === 'clarify') return ask(together, turns, gone);
    const alone = await ask(message, turns, gone);
    return alone.decision === 'clarify' ? ask(together, turns, gone) : alone;
  }

  async function ask(question: string, turns: readonly Turn[], gone: AbortSignal): Promise<Reasoned> {
    const passages = await services.search(question, gone);
    return services.reason({ question, passages, history: turns.slice(-turnsGiven) }, gone);
  }

  /** The flag decides whether an answer names its sources in so many words; they are always beside it as data. */
  async function framed(reasoned: Reasoned, user: string): Promise<Reasoned & Pick<Answer, 'cites'>> {
    const { decision, answer: text, citations } = reasoned;
    const cites = decision === 'answer' ? await flags.variant('answer-with-citations', user) : undefined;
    const sources = citations.map(({ title }) => title).join(', ');
    const prompt = cites === 'on' && citations.length > 0 ? prompts['answer-with-citations'] : prompts[decision];
    return { ...reasoned, answer: prompt({ text, sources }), ...(cites && { cites }) };
  }

  /** What this copy remembers and what any copy logged, each turn once. */
  async function history(session: string): Promise<readonly Turn[]> {
    const logged = await services.recall(session).catch(() => []);
    const turns = new Map([...logged, ...sessions.turns(session)].map((turn) => [turn.id, turn]));
    return [...turns.values()].toSorted((one, other) => one.at.localeCompare(other.at));
  }

  function record(interaction: Parameters<Services['record']>[0]): void {
    const pending = services.record(interaction).catch(() => log('warn', 'an interaction was not logged', { interaction: interaction.id }));
    recording.add(pending);
    void pending.finally(() => recording.delete(pending));
  }
}
