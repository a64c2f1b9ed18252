import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Article {
  /** The name of its file; what answers cite. */
  readonly id: string;
  readonly title: string;
  /** Other words people use for it. */
  readonly tags: readonly string[];
  /** Markdown: an opening and sections under `## ` headings, together about a hundred words. */
  readonly text: string;
}

/** Reads every Markdown file of a folder, in the order of their names. Throws at the first file that is not an article. */
export function readKnowledge(folder: string): Article[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.md'));
  return files.toSorted().map((name) => parseArticle(basename(name, '.md'), readFileSync(join(folder, name), 'utf8')));
}

/** An article is a `# ` title, a line `Tags: ` with words separated by commas, and text. */
export function parseArticle(id: string, source: string): Article {
  const [, title, tags, text] = /^# ([^\n]+)\n+Tags: ([^\n]+)\n(.*)$/s.exec(source.replaceAll('\r\n', '\n')) ?? [];
  if (!title?.trim() || !tags?.trim() || !text?.trim())
    throw new Error(`knowledge/${id}.md must be '# ' and a title, 'Tags: ' and words, and text`);
  return { id, title: title.trim(), tags: tags.split(',').map((tag) => tag.trim()), text: text.trim() };
}
