import type { Passage } from './request.ts';
import { terms, words } from './words.ts';

/** How well the passages speak to a question. */
export interface Evidence {
  /** Subject words of the question. */
  readonly asked: readonly string[];
  /** Passages that share a word with the question, best first, with the share of the question they cover. */
  readonly ranked: readonly RankedPassage[];
}

export interface RankedPassage {
  readonly passage: Passage;
  /** 0 to 1: the part of the question's subject words found in the passage, its title and its tags. */
  readonly coverage: number;
  /** 0 to 1: retrieval score relative to the best one, times coverage. */
  readonly strength: number;
}

export function weigh(question: string, passages: readonly Passage[]): Evidence {
  const asked = terms(question);
  const best = Math.max(...passages.map(({ score }) => score), Number.MIN_VALUE);
  const ranked = passages.map((passage) => {
    const known = new Set(terms([passage.title, passage.passage, ...passage.tags].join(' ')));
    const coverage = asked.length === 0 ? 0 : asked.filter((term) => knows(known, term)).length / asked.length;
    return { passage, coverage, strength: (passage.score / best) * coverage };
  });
  return { asked, ranked: ranked.filter(({ coverage }) => coverage > 0).toSorted((one, other) => other.strength - one.strength) };
}

/** Exact, or one slip of the keyboard away in a word long enough for it not to be another word. */
export function knows(known: ReadonlySet<string>, term: string): boolean {
  if (known.has(term)) return true;
  return term.length >= 5 && [...known].some((candidate) => candidate.length >= 5 && withinOneEdit(candidate, term));
}

function withinOneEdit(one: string, other: string): boolean {
  if (Math.abs(one.length - other.length) > 1) return false;
  let start = 0;
  while (start < one.length && one[start] === other[start]) start += 1;
  const swapped = one[start] === other[start + 1] && one[start + 1] === other[start] && one.slice(start + 2) === other.slice(start + 2);
  const [shorter, longer] = one.length < other.length ? [one, other] : [other, one];
  const rest = longer.slice(start + 1);
  return swapped || rest === shorter.slice(start) || rest === shorter.slice(start + 1);
}

export interface Sentence {
  readonly text: string;
  /** Heading of its section; empty in the opening. */
  readonly heading: string;
  /** Number of the sentence in its passage, from 0. */
  readonly position: number;
}

/** The sentences of a passage. One ends only where a capital or a digit follows, so that "e.g. this" stays whole. */
export function sentencesOf({ passage }: Passage): Sentence[] {
  const sections = passage.split(/^(?=## )/m).map((section) => /^(?:## (.*)\n)?(.*)$/s.exec(section));
  const found = sections.flatMap((section) =>
    (section?.[2] ?? '')
      .split(/(?<=[.!?])\s+(?=[\p{Lu}\d"'(])/u)
      .map((text) => ({ text: text.trim().replaceAll(/\s+/g, ' '), heading: section?.[1] ?? '' })),
  );
  return found.filter(({ text }) => words(text).length > 0).map(({ text, heading }, position) => ({ text, heading, position }));
}
