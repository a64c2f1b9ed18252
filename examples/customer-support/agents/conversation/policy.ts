import { readFileSync } from 'node:fs';

/** The rules of a release, from the file `SLUICE_POLICY`. */
export interface Policy {
  readonly maximumCharacters: number;
  /** What is put out of a message before it is searched for, remembered or logged. First to last. */
  readonly redact: readonly { readonly name: string; readonly pattern: RegExp }[];
  /** Messages of these words only are greetings, and need no search. */
  readonly smallTalk: ReadonlySet<string>;
}

export function readPolicy(file: string | undefined): Policy {
  if (file === undefined) throw new Error("SLUICE_POLICY is not set: declare 'policy' for this service");
  const { maximumCharacters, redact, smallTalk } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  if (!Number.isInteger(maximumCharacters)) throw new Error(`${file}: 'maximumCharacters' must be a whole number`);
  if (!Array.isArray(redact)) throw new Error(`${file}: 'redact' must be a list of { name, pattern }`);
  if (!Array.isArray(smallTalk)) throw new Error(`${file}: 'smallTalk' must be a list of words`);
  return {
    maximumCharacters: maximumCharacters as number,
    redact: redact.map(({ name, pattern }: { name: string; pattern: string }) => ({ name, pattern: new RegExp(pattern, 'giu') })),
    smallTalk: new Set(smallTalk.map(String)),
  };
}

/** The message with `[name]` in place of everything the policy keeps out. */
export function redacted({ redact }: Policy, message: string): string {
  return redact.reduce((text, { name, pattern }) => text.replaceAll(pattern, `[${name}]`), message);
}

export function isSmallTalk({ smallTalk }: Policy, message: string): boolean {
  const words = message.toLowerCase().match(/[\p{L}']+/gu) ?? [];
  return words.length > 0 && words.every((word) => smallTalk.has(word));
}
