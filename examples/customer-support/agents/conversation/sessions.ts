import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export type Decision = 'answer' | 'clarify' | 'escalate';

export interface Turn {
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  readonly message: string;
  readonly answer: string;
  readonly decision: Decision;
}

/**
 * Sessions a client can hold but not make up: what it gets is `id.signature`, so another copy of this agent with the same key knows it
 * too. What is remembered is bounded in turns, sessions and time; the logging agent has the rest.
 */
export interface Sessions {
  /** A new id and the signed form to give to the client. */
  create(): { readonly id: string; readonly token: string };
  /** The id in a signed form; undefined for anything this key did not sign. */
  verify(token: string): string | undefined;
  turns(id: string): readonly Turn[];
  remember(id: string, turn: Turn): void;
}

const turnsKept = 10;

export interface SessionSettings {
  /** At least 32 characters, the same for every copy of the agent. */
  readonly key: string;
  readonly maximum: number;
  readonly ttlMs: number;
  readonly now: () => number;
}

export function createSessions({ key, maximum, ttlMs, now }: SessionSettings): Sessions {
  if (key.length < 32) throw new Error('SESSION_KEY must have at least 32 characters: give it a generated secret');
  const sessions = new Map<string, { readonly turns: readonly Turn[]; readonly usedAt: number }>();
  const sign = (id: string): string => `${id}.${createHmac('sha256', key).update(id).digest('base64url')}`;
  const turnsOf = (id: string): readonly Turn[] => {
    const session = sessions.get(id);
    return session !== undefined && session.usedAt + ttlMs > now() ? session.turns : [];
  };

  return {
    create() {
      const id = randomBytes(16).toString('hex');
      return { id, token: sign(id) };
    },
    verify(token) {
      const id = token.split('.', 1)[0] ?? '';
      const [given, expected] = [Buffer.from(token), Buffer.from(sign(id))];
      return given.length === expected.length && timingSafeEqual(given, expected) ? id : undefined;
    },
    turns: turnsOf,
    remember(id, turn) {
      const turns = [...turnsOf(id), turn].slice(-turnsKept);
      sessions.delete(id);
      sessions.set(id, { turns, usedAt: now() });
      for (const [oldest, { usedAt }] of sessions) {
        if (sessions.size <= maximum && usedAt + ttlMs > now()) break;
        sessions.delete(oldest);
      }
    },
  };
}
