import type { Database } from './database.ts';
import { objectOf, textOf } from './fields.ts';
import { refusal } from './refusal.ts';

type Decision = 'answer' | 'clarify' | 'escalate';

/** One question and what it was answered with. */
export interface Interaction {
  /** Chosen by the caller: to record the same one again changes nothing, so it can be sent twice. */
  readonly id: string;
  readonly session: string;
  /** ISO 8601. */
  readonly at: string;
  readonly message: string;
  readonly answer: string;
  readonly decision: Decision;
  readonly citations: readonly string[];
  readonly durationMs: number;
}

export interface Stats {
  readonly total: number;
  readonly decisions: Readonly<Record<Decision, number>>;
}

const decisions: readonly unknown[] = ['answer', 'clarify', 'escalate'];

/** Refuses with 400 what does not fit, and names the field. */
export function parseInteraction(body: unknown): Interaction {
  const { id, session, at, message, answer, decision, citations = [], durationMs = 0 } = objectOf(body, 'the body');
  if (!decisions.includes(decision)) throw refusal(400, 'invalid_request', `'decision' must be one of ${decisions.join(', ')}`);
  if (!Array.isArray(citations) || citations.length > 20)
    throw refusal(400, 'invalid_request', "'citations' must be a list of at most 20 ids");
  if (!Number.isInteger(durationMs) || (durationMs as number) < 0 || (durationMs as number) > 86_400_000) {
    throw refusal(400, 'invalid_request', "'durationMs' must be a whole number of milliseconds of at most one day");
  }
  const time = new Date(textOf(at, 'at', 40));
  if (Number.isNaN(time.getTime())) throw refusal(400, 'invalid_request', "'at' must be a date and time in ISO 8601");
  return {
    id: textOf(id, 'id', 100),
    session: textOf(session, 'session', 100),
    at: time.toISOString(),
    message: textOf(message, 'message', 8_000),
    answer: textOf(answer, 'answer', 20_000),
    decision: decision as Decision,
    citations: citations.map((citation) => textOf(citation, 'citations', 100)),
    durationMs: durationMs as number,
  };
}

/** Whether it was new. */
export async function record(database: Database, interaction: Interaction): Promise<boolean> {
  const { id, session, at, message, answer, decision, citations, durationMs } = interaction;
  const rows = await database.query(
    `INSERT INTO interactions (id, session, at, message, answer, decision, citations, duration_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING RETURNING id`,
    [id, session, at, message, answer, decision, citations, durationMs],
  );
  return rows.length > 0;
}

/** The latest `limit` interactions of a session, oldest first. */
export async function recall(database: Database, session: string, limit: number): Promise<Interaction[]> {
  const rows = await database.query<Interaction>(
    `SELECT id, session, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at, message, answer, decision, citations, duration_ms AS "durationMs"
     FROM interactions WHERE session = $1 ORDER BY interactions.at DESC, id DESC LIMIT $2`,
    [session, limit],
  );
  return rows.toReversed();
}

export async function statistics(database: Database): Promise<Stats> {
  const rows = await database.query<{ decision: Decision; count: string }>(
    'SELECT decision, count(*) AS count FROM interactions GROUP BY decision',
  );
  const counts = { answer: 0, clarify: 0, escalate: 0 };
  for (const { decision, count } of rows) counts[decision] = Number(count);
  return { total: counts.answer + counts.clarify + counts.escalate, decisions: counts };
}
