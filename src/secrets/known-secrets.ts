import type { Json } from '../digest/json.ts';
import { SluiceError, toSluiceError } from '../errors/sluice-error.ts';
import type { Vault } from './vault.ts';

/**
 * The values of secrets this process has handled, so that they can be taken out of words that come from elsewhere: a provider's error, the
 * last line of a log. A last line of defence; nothing should put a secret into words in the first place.
 */
export interface KnownSecrets {
  /** Takes in a secret value. Texts shorter than six characters are left out: they would make holes in ordinary words. */
  learn(value: Json): void;
  /** The text with every known secret, also one escaped for JSON or a URL, replaced by `***`. Time grows with the text, not with their number. */
  scrub(text: string): string;
  /** The same for every text in a value, keys included. */
  scrubJson(value: Json): Json;
  /** Anything thrown as an error of the catalogue without known secrets in its words. */
  scrubError(thrown: unknown): SluiceError;
}

const shortest = 6;
const mask = '***';

export function createKnownSecrets(): KnownSecrets {
  /** By their first characters: the secrets that start so, and how long they are, the longest first, so that a URL is masked as a whole. */
  const byStart = new Map<string, { readonly secrets: Set<string>; lengths: readonly number[] }>();

  const add = (secret: string): void => {
    if (secret.length < shortest) return;
    const start = secret.slice(0, shortest);
    const others = byStart.get(start);
    if (others === undefined) {
      byStart.set(start, { secrets: new Set([secret]), lengths: [secret.length] });
      return;
    }
    others.secrets.add(secret);
    if (others.lengths.includes(secret.length)) return;
    others.lengths = [...others.lengths, secret.length].toSorted((left, right) => right - left);
  };

  /** The length of the longest secret at this place of a text. */
  const lengthAt = (text: string, at: number): number | undefined => {
    const known = byStart.get(text.slice(at, at + shortest));
    return known?.lengths.find((length) => known.secrets.has(text.slice(at, at + length)));
  };

  const learn = (value: Json): void => {
    if (typeof value === 'string') {
      // A secret that fills several lines is met line by line in logs.
      for (const text of [value, ...(value.includes('\n') ? value.split('\n').map((line) => line.trim()) : [])]) {
        for (const form of [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text.toWellFormed())]) add(form);
      }
    } else if (value !== null && typeof value === 'object') {
      for (const each of Object.values(value)) learn(each);
    }
  };

  const scrub = (text: string): string => {
    if (byStart.size === 0) return text;
    let [result, copied] = ['', 0];
    for (let at = 0; at + shortest <= text.length; at += 1) {
      const length = lengthAt(text, at);
      if (length === undefined) continue;
      result += `${text.slice(copied, at)}${mask}`;
      copied = at + length;
      at = copied - 1;
    }
    return copied === 0 ? text : result + text.slice(copied);
  };

  const scrubJson = (value: Json): Json => {
    if (typeof value === 'string') return scrub(value);
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map(scrubJson);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [scrub(key), scrubJson(each)]));
  };

  const scrubError = (thrown: unknown): SluiceError => {
    const error = toSluiceError(thrown);
    const problems = error.problems.map((problem) => ({ ...problem, message: scrub(problem.message), help: scrub(problem.help) }));
    const [message, help] = [scrub(error.message), scrub(error.help)];
    if (message === error.message && help === error.help && JSON.stringify(problems) === JSON.stringify(error.problems)) return error;
    // The cause goes: it is where the secret came from.
    return new SluiceError(error.code, { message, help }, { problems });
  };

  return { learn, scrub, scrubJson, scrubError };
}

/** The vault, with `secrets` learning every output that is sealed or opened: outputs are sealed as JSON text (see engine/outputs.ts). */
export function learningVault(vault: Vault, secrets: KnownSecrets): Vault {
  const learned = (plaintext: string): void => {
    if (!plaintext.startsWith('"')) return;
    try {
      secrets.learn(JSON.parse(plaintext) as Json);
    } catch {
      secrets.learn(plaintext);
    }
  };
  return {
    ...vault,
    seal: (plaintext) => {
      learned(plaintext);
      return vault.seal(plaintext);
    },
    open: (sealed) => {
      const plaintext = vault.open(sealed);
      learned(plaintext);
      return plaintext;
    },
  };
}
