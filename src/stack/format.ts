import { Lexer, parseDocument } from 'yaml';
import { createProblemList } from './problems.ts';
import { createSourceText } from './source/node.ts';
import { parseText } from './source/parse.ts';
import type { Loaded } from './stack.ts';

/** Rewritings after which a text that still changes is left as it is. */
const mostRounds = 4;

/**
 * The text in its usual form: two spaces of indentation, lists indented, no more than one empty line in a row. Keeps comments, the order
 * of keys, quotes, anchors and the choice between flow and block style. Formatting a formatted text changes nothing. A text for which
 * this cannot be had without changing its meaning or losing a comment is returned as it came.
 */
export function formatStack(text: string, file: string): Loaded<string> {
  const problems = createProblemList();
  parseText(createSourceText(file, text), problems);
  if (problems.hasErrors) return { ok: false, problems: problems.sorted() };
  return { ok: true, value: settle(text), problems: [] };
}

function settle(text: string): string {
  let before = text;
  for (let round = 0; round < mostRounds; round += 1) {
    const after = rewrite(before);
    if (after === before) return sameMeaning(text, after) ? after : text;
    before = after;
  }
  return text;
}

function rewrite(text: string): string {
  const document = parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: false, prettyErrors: false });
  if (document.errors.length > 0) return text;
  return tightenLists(document.toString({ indent: 2, indentSeq: true, lineWidth: 0, flowCollectionPadding: true, minContentWidth: 0 }));
}

/** What the lexer adds to the text: start of a document or of a scalar, end of a faulty flow collection. */
const markers = new Set(['\u0002', '\u0018', '\u001f']);

function isGap(lexeme: string): boolean {
  return /^ +$/.test(lexeme);
}

/** `[ a, b ]` as `[a, b]`: the library pads lists and maps alike, and only maps read better for it. */
function tightenLists(text: string): string {
  const lexemes = [...new Lexer().lex(text)].filter((lexeme) => !markers.has(lexeme));
  return lexemes
    .filter((lexeme, at) => {
      const [before, after] = [lexemes[at - 1], lexemes[at + 1]];
      const opens = before === '[' && after !== '\n' && !after?.startsWith('#');
      const closes = after === ']' && before !== '\n';
      return !(isGap(lexeme) && (opens || closes));
    })
    .join('');
}

function sameMeaning(left: string, right: string): boolean {
  return meaning(left) === meaning(right) && comments(left) === comments(right);
}

function meaning(text: string): string {
  const problems = createProblemList();
  const node = parseText(createSourceText('', text), problems);
  if (problems.hasErrors) return 'invalid';
  return JSON.stringify(node, (key, value: unknown) => {
    if (key === 'source' || key === 'start' || key === 'end' || key === 'keyStart' || key === 'written') return undefined;
    return value instanceof Map ? [...value] : value;
  });
}

/** The comments of a text, however they are spaced. */
function comments(text: string): string {
  const document = parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: false, prettyErrors: false, keepSourceTokens: true });
  const found: string[] = [];
  collectComments(document.contents?.srcToken, found);
  return [document.commentBefore ?? '', ...found, document.comment ?? '']
    .join('\n')
    .replaceAll(/[\s#]+/g, ' ')
    .trim();
}

/** Comments hang on the tokens of a concrete syntax tree, in arrays of tokens under several names: all are walked. */
function collectComments(token: unknown, found: string[]): void {
  if (Array.isArray(token)) for (const item of token) collectComments(item, found);
  else if (typeof token === 'object' && token !== null) {
    if ('type' in token && token.type === 'comment' && 'source' in token && typeof token.source === 'string') found.push(token.source);
    for (const value of Object.values(token)) if (typeof value === 'object') collectComments(value, found);
  }
}
