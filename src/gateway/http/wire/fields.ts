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

/** The same text (latin1) in one piece of memory of its own. */
export function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** Field lines as text. */
export function fieldsText(fields: readonly string[]): string {
  let text = '';
  for (let index = 0; index < fields.length; index += 2) text += `${fields[index]}: ${fields[index + 1]}\r\n`;
  return text;
}

/**
 * What can be in no header, looked for before it is whole, so that what is no HTTP is refused at once: control characters, a CR without its
 * LF, an LF without its CR. `text` begins with the message, or with what follows on what has been looked at: then with its last byte if
 * that was a CR.
 */
export function isHopeless(text: string): boolean {
  let previous = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if ((previous === 13) !== (code === 10)) return true;
    if ((code < 32 && code !== 9 && code !== 10 && code !== 13) || code === 127) return true;
    previous = code;
  }
  return false;
}
