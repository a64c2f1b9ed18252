import MiniSearch from 'minisearch';
import type { Article } from './knowledge.ts';
import { subject, words } from './words.ts';

export interface Hit {
  readonly id: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly passage: string;
  /** BM25+ as MiniSearch computes it: higher is better, comparable within one answer only. */
  readonly score: number;
}

/** Best first; empty when no article shares a word with the query. */
export type Search = (query: string, limit: number) => Hit[];

/** An index over the articles. It forgives endings (see `words.ts`), a typing slip in a longer word, and words that are not finished. */
export function createSearch(articles: readonly Article[]): Search {
  const index = new MiniSearch<Article>({
    fields: ['title', 'tags', 'headings', 'text'],
    extractField: (article, field) => (field === 'headings' ? headings(article) : String(article[field as keyof Article])),
    tokenize: words,
    processTerm: (word) => subject(word) ?? null,
    searchOptions: {
      boost: { title: 3, tags: 2.5, headings: 2 },
      fuzzy: (term) => (term.length > 4 ? 0.2 : false),
      prefix: (term) => term.length > 4,
      weights: { fuzzy: 0.3, prefix: 0.5 },
    },
  });
  index.addAll(articles);
  const byId = new Map(articles.map((article) => [article.id, article]));

  return (query, limit) =>
    index
      .search(query)
      .slice(0, limit)
      .flatMap(({ id, score }) => {
        const article = byId.get(id as string);
        if (article === undefined) return [];
        const { title, tags, text } = article;
        return [{ id: article.id, title, tags, passage: text, score: Number(score.toFixed(3)) }];
      });
}

function headings({ text }: Article): string {
  return [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading).join('\n');
}
