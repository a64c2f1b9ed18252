/**
 * Field lines, each with its CRLF (RFC 9112 section 5): a token, a colon with no space before it, and a value of visible characters,
 * spaces, tabs and bytes above 127. So no folding, no bare CR or LF, no NUL and no other control character.
 */
const fieldLines = /(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*/y;

/**
 * Name and value by turns of the field lines from `from` to the end of `text`, values without the white space around them. `text` is
 * latin1 and ends with the CRLF of the last line.
 */
export function parseFields(text: string, from: number, atMost: number): string[] | 'invalid' | 'too_many' {
  fieldLines.lastIndex = from;
  fieldLines.test(text);
  if (fieldLines.lastIndex !== text.length) return 'invalid';
  const fields: string[] = [];
  let at = from;
  while (at < text.length) {
    if (fields.length >= 2 * atMost) return 'too_many';
    const colon = text.indexOf(':', at);
    const lineEnd = text.indexOf('\r', colon);
    let start = colon + 1;
    let end = lineEnd;
    while (start < end && isSpace(text.charCodeAt(start))) start += 1;
    while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
    fields.push(text.slice(at, colon), text.slice(start, end));
    at = lineEnd + 2;
  }
  return fields;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9;
}

const safeName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const safeValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether fields that did not come by this parser can be written as they are. */
export function areSafe(fields: readonly string[]): boolean {
  for (let index = 0; index < fields.length; index += 2) {
    if (!safeName.test(fields[index] as string) || !safeValue.test(fields[index + 1] as string)) return false;
  }
  return true;
}

/** Field lines as text. */
export function fieldsText(fields: readonly string[]): string {
  let text = '';
  for (let index = 0; index < fields.length; index += 2) text += `${fields[index]}: ${fields[index + 1]}\r\n`;
  return text;
}

/**
 * What can be in no header, looked for before it is whole, so that what is no HTTP is refused at once: control characters, a CR without its
 * LF, an LF without its CR.
 */
const neverInHeader = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?=[^\n])|(?:^|[^\r])\n/;

/** `text` begins with the request or with a byte of it that has been looked at. */
export function isHopeless(text: string): boolean {
  return neverInHeader.test(text);
}
