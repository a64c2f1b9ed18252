import { type Evidence, knows, type RankedPassage, type Sentence, sentencesOf } from './evidence.ts';
import { terms } from './words.ts';

export interface Composed {
  readonly text: string;
  /** Ids of the articles the text cites, in the order of the text. */
  readonly citations: readonly string[];
}

interface Candidate {
  readonly sentence: Sentence;
  readonly article: RankedPassage;
  readonly found: ReadonlySet<string>;
  readonly score: number;
}

/**
 * The built-in model: it answers with the sentences that speak most to the question and invents nothing. After the best sentence
 * of the best article, another is taken when it has a word of the question the chosen ones lack, or when it is the next of the same section.
 */
export function compose({ asked, ranked }: Evidence, maximumSentences: number): Composed {
  const close = ranked.filter(({ strength }) => strength >= (ranked[0]?.strength ?? 0) / 2);
  const candidates = close.flatMap((article) => score(asked, article)).toSorted((one, other) => other.score - one.score);
  const best = candidates.find(({ article }) => article === close[0]);
  if (best === undefined) return { text: '', citations: [] };
  const others = candidates.filter((candidate) => candidate !== best);
  const chosen = [best];
  for (const candidate of others) {
    if (chosen.length === maximumSentences) break;
    const addsWord = [...candidate.found].some((term) => chosen.every(({ found }) => !found.has(term)));
    if (candidate.score >= best.score / 2 ? addsWord || follows(candidate, best) : follows(candidate, best)) chosen.push(candidate);
  }
  const ordered = chosen.toSorted(
    (one, other) => close.indexOf(one.article) - close.indexOf(other.article) || one.sentence.position - other.sentence.position,
  );
  const text = ordered.map(({ sentence, article }, index) =>
    ordered[index + 1]?.article === article ? sentence.text : `${sentence.text} [${article.passage.id}]`,
  );
  return { text: text.join(' '), citations: [...new Set(ordered.map(({ article }) => article.passage.id))] };
}

function follows(candidate: Candidate, best: Candidate): boolean {
  const { article, sentence } = candidate;
  return article === best.article && sentence.heading === best.sentence.heading && sentence.position === best.sentence.position + 1;
}

/**
 * A sentence scores by the question's words in it, rare ones of its article more than common ones, and less the longer it is (BM25's
 * weights with k1 = 1.2, b = 0.75). A word of the title says little: every sentence of the article is about it. Standing first counts,
 * because an article opens with what most people want to know.
 */
function score(asked: readonly string[], article: RankedPassage): Candidate[] {
  const title = new Set(terms(article.passage.title));
  const all = sentencesOf(article.passage).map((sentence) => {
    const own = new Set(terms(sentence.text));
    const heading = new Set(terms(sentence.heading));
    return { sentence, own, found: new Set(asked.filter((term) => knows(own, term) || knows(heading, term))) };
  });
  const averageLength = all.reduce((sum, { own }) => sum + own.size, 0) / Math.max(all.length, 1);
  const weightOf = (term: string): number => {
    const having = all.filter(({ found }) => found.has(term)).length;
    return Math.log(1 + (all.length - having + 0.5) / (having + 0.5)) * (knows(title, term) ? 0.25 : 1);
  };
  return all.map(({ sentence, own, found }) => {
    const overlap = [...found].reduce((sum, term) => sum + weightOf(term), 0);
    const saturation = 2.2 / (1 + 1.2 * (0.25 + (0.75 * own.size) / averageLength));
    return { sentence, article, found, score: (overlap * saturation + 1 / (1 + sentence.position)) * article.strength };
  });
}
