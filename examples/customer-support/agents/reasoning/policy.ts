import { readFileSync } from 'node:fs';
import { stem, words } from './words.ts';

/** The rules of a release, from the file `SLUICE_POLICY`. */
export interface Policy {
  /** What a person has to take over, first match wins. */
  readonly escalate: readonly EscalationRule[];
  /** How much of a question the knowledge has to cover before it is answered. */
  readonly evidence: { readonly coverage: number; readonly ambiguity: number };
  /** A third question in a row that cannot be answered goes to a person, when this is 2. */
  readonly clarifications: number;
}

export interface EscalationRule {
  readonly name: string;
  /** Told to the user, after "because". */
  readonly reason: string;
  /** Words in this order with at most two others between them; endings do not matter. */
  readonly phrases: readonly string[];
  /** With one of these words the rule does not apply: to ask how to prevent a theft is not to report one. */
  readonly unless?: readonly string[];
}

export function readPolicy(file: string | undefined): Policy {
  if (file === undefined) throw new Error("SLUICE_POLICY is not set: declare 'policy' for this service");
  const policy = JSON.parse(readFileSync(file, 'utf8')) as Partial<Policy>;
  const rules = policy.escalate;
  if (!Array.isArray(rules) || !rules.every(({ name, reason, phrases }) => name && reason && Array.isArray(phrases))) {
    throw new Error(`${file}: 'escalate' must be a list of { name, reason, phrases }`);
  }
  const { evidence, clarifications } = policy;
  if (!isShare(evidence?.coverage) || !isShare(evidence.ambiguity))
    throw new Error(`${file}: 'evidence' needs 'coverage' and 'ambiguity' between 0 and 1`);
  if (!Number.isInteger(clarifications)) throw new Error(`${file}: 'clarifications' must be a whole number`);
  return policy as Policy;
}

/** The first rule that takes this question away from the model. */
export function escalationFor(policy: Policy, question: string): EscalationRule | undefined {
  const asked = words(question).map(stem);
  return policy.escalate.find(({ phrases, unless = [] }) => {
    if (unless.some((word) => asked.includes(stem(word)))) return false;
    return phrases.some((phrase) => contains(asked, words(phrase).map(stem)));
  });
}

function contains(asked: readonly string[], phrase: readonly string[]): boolean {
  return asked.some((_, start) => {
    let position = start;
    return phrase.every((word, index) => {
      const found = asked.slice(position, position + (index === 0 ? 1 : 3)).indexOf(word);
      position += found + 1;
      return found !== -1;
    });
  });
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}
