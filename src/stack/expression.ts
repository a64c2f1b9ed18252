/** One piece of a text field. `at` is its offset in the text; a literal has its escapes resolved. */
export type Segment =
  | { readonly type: 'literal'; readonly text: string }
  /** What stands between `${` and `}`, in its parts: `var.replicas` or `database.db.url`. */
  | { readonly type: 'expression'; readonly at: number; readonly text: string; readonly parts: readonly string[] }
  /** A `${` that is not closed, or holds no name. */
  | { readonly type: 'malformed'; readonly at: number; readonly text: string };

const longestExpression = 200;

/** Splits a text at its interpolations, in time linear in its length. `$${` is the two characters `${`. */
export function splitText(text: string): readonly Segment[] {
  const segments: Segment[] = [];
  let literal = '';
  let at = 0;
  for (;;) {
    const dollar = text.indexOf('${', at);
    if (dollar === -1) break;
    if (dollar > at && text[dollar - 1] === '$') {
      literal += `${text.slice(at, dollar - 1)}\${`;
      at = dollar + 2;
      continue;
    }
    literal += text.slice(at, dollar);
    if (literal !== '') segments.push({ type: 'literal', text: literal });
    literal = '';
    const segment = readExpression(text, dollar);
    segments.push(segment);
    at = dollar + segment.text.length;
  }
  literal += text.slice(at);
  if (literal !== '') segments.push({ type: 'literal', text: literal });
  return segments;
}

/** Text in which no interpolation is left: `splitText` gives it back as one literal. */
export function escapeText(text: string): string {
  return text.replaceAll('${', () => '$${');
}

function readExpression(text: string, at: number): Exclude<Segment, { type: 'literal' }> {
  const window = text.slice(at, at + longestExpression);
  const close = window.indexOf('}');
  if (close === -1) return { type: 'malformed', at, text: window.length > 2 ? (window.split('\n', 1)[0] ?? '${') : '${' };
  const whole = window.slice(0, close + 1);
  const parts = whole.slice(2, -1).split('.');
  const [kind = '', name = '', output, ...rest] = parts;
  const wellFormed =
    /^[a-z_]+$/.test(kind) &&
    /^[A-Za-z0-9_-]+$/.test(name) &&
    (output === undefined || /^[a-z][a-z0-9_]*$/.test(output)) &&
    rest.length === 0;
  return wellFormed ? { type: 'expression', at, text: whole, parts } : { type: 'malformed', at, text: whole };
}
