import { Composer, type Document, Lexer, Parser, type YAMLError } from 'yaml';
import { problem } from '../../errors/sluice-error.ts';
import type { ProblemList } from '../problems.ts';
import { checkText } from './decode.ts';
import { deepest, mostFaults, mostLexemes } from './limits.ts';
import type { SourceNode, SourceText } from './node.ts';
import { toSourceNode } from './tree.ts';

type ParsedDocument = Document.Parsed;

/**
 * The value a YAML text describes; undefined when it holds none or is refused, and then `problems` says why. Bounded in time and memory
 * for any text: nesting is counted while the parser's own stack grows, before anything recursive is done with it.
 */
export function parseText(source: SourceText, problems: ProblemList): SourceNode | undefined {
  const checked = checkText(source);
  if ('code' in checked) {
    problems.add(() => checked);
    return undefined;
  }
  const documents = composeDocuments(source, problems);
  const document = documents?.[0];
  if (!documents || !document) return undefined;
  const second = documents[1];
  if (second) {
    problems.add(() => problem('yaml_many_documents', {}, { position: source.positionAt(second.range[0]) }));
    return undefined;
  }
  const faults = [...document.errors, ...document.warnings];
  reportFaults(faults, source, problems);
  return faults.length > 0 || document.contents === null ? undefined : toSourceNode(document.contents, source, problems);
}

function composeDocuments(source: SourceText, problems: ProblemList): ParsedDocument[] | undefined {
  const parser = new Parser();
  const composer = new Composer({ version: '1.2', schema: 'core', merge: false, uniqueKeys: false, prettyErrors: false });
  const documents: ParsedDocument[] = [];
  let lexemes = 0;
  let faults = 0;
  for (const lexeme of new Lexer().lex(source.text)) {
    lexemes += 1;
    for (const token of parser.next(lexeme)) {
      if (token.type === 'directive') {
        problems.add(() => problem('yaml_unsupported', { what: 'A YAML directive' }, { position: source.positionAt(token.offset) }));
        return undefined;
      }
      if (token.type === 'error') faults += 1;
      documents.push(...composer.next(token));
    }
    if (documents.length > 1 || faults > mostFaults) break;
    if (parser.stack.length > deepest + 2) {
      problems.add(() => problem('yaml_too_deep', { limit: deepest }, { position: source.positionAt(parser.offset) }));
      return undefined;
    }
    if (lexemes > mostLexemes) {
      problems.add(() => problem('yaml_too_big', { limit: mostLexemes }, { position: source.positionAt(parser.offset) }));
      return undefined;
    }
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end(false, source.text.length));
  return documents;
}

function reportFaults(faults: readonly YAMLError[], source: SourceText, problems: ProblemList): void {
  let bareLine = 0;
  for (const fault of faults) {
    const [at] = fault.pos;
    const position = source.positionAt(at);
    // One unquoted interpolation between brackets makes the parser stumble over all that follows on the line.
    if (position.line === bareLine) continue;
    const bare = source.text.startsWith('${', at - 1);
    if (bare) bareLine = position.line;
    const reason = bare ? 'between brackets or braces an interpolation needs quotes around it' : reasonOf(fault);
    problems.add(() => problem('yaml_invalid', { reason }, { position }));
  }
}

function reasonOf(fault: YAMLError): string {
  const line = fault.message.split('\n')[0] ?? '';
  const sentence = line.length > 200 ? `${line.slice(0, 200)}...` : line;
  return sentence.replace(/[.:]$/, '').replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
}
