import type { RawHeaders } from '../http/downstream.ts';

/** One kept answer. */
export interface KeptAnswer {
  readonly status: number;
  /** Without `age`. */
  readonly headers: RawHeaders;
  readonly body: Buffer;
  /** Request fields (lower case) the answer depends on, and what they were. */
  readonly varies: readonly { readonly name: string; readonly value: string }[];
  /** It said itself that it may be shared and for how long; otherwise it is kept by what the stack declares. */
  readonly isExplicit: boolean;
  /** Monotonic milliseconds. */
  readonly storedAt: number;
  readonly staleAt: number;
  /** Seconds it was old when it came. */
  readonly initialAge: number;
}

/** Answers by key, bounded by their bytes; the least recently used go first. Under one key there may be several that vary by the request. */
export interface AnswerStore {
  find(key: string, matches: (answer: KeptAnswer) => boolean): KeptAnswer | undefined;
  /** Takes the place of those under the key for which `replaces` holds. */
  keep(key: string, answer: KeptAnswer, replaces: (answer: KeptAnswer) => boolean): void;
  drop(key: string): void;
  /** Forgets every key for which it does not hold. */
  retain(isKept: (key: string) => boolean): void;
  bytes(): number;
  size(): number;
}

/** Answers under one key that differ by the request; more are a field that is different every time. */
const variantsKept = 64;
/** What an answer takes beside its body, key and headers. */
const overheadBytes = 512;

export function createAnswerStore(maxBytes: number): AnswerStore {
  // In the order of their last use.
  const entries = new Map<string, { answers: readonly KeptAnswer[]; bytes: number }>();
  let total = 0;

  const put = (key: string, answers: readonly KeptAnswer[]): void => {
    drop(key);
    if (answers.length === 0) return;
    const bytes = answers.reduce((sum, answer) => sum + sizeOf(key, answer), 0);
    entries.set(key, { answers, bytes });
    total += bytes;
  };

  const drop = (key: string): void => {
    total -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  };

  return {
    find: (key, matches) => {
      const entry = entries.get(key);
      const answer = entry?.answers.find(matches);
      if (entry === undefined || answer === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return answer;
    },
    keep: (key, answer, replaces) => {
      const others = entries.get(key)?.answers.filter((other) => !replaces(other)) ?? [];
      put(key, [answer, ...others].slice(0, variantsKept));
      for (const oldest of entries.keys()) {
        if (total <= maxBytes) return;
        drop(oldest);
      }
    },
    drop,
    retain: (isKept) => {
      for (const key of entries.keys()) if (!isKept(key)) drop(key);
    },
    bytes: () => total,
    size: () => entries.size,
  };
}

function sizeOf(key: string, { headers, body, varies }: KeptAnswer): number {
  let characters = key.length;
  for (const text of headers) characters += text.length;
  for (const { name, value } of varies) characters += name.length + value.length;
  return body.length + characters + overheadBytes;
}
