/** A word of HAProxy's configuration in double quotes. It is one line: a line break cannot be written in it. */
export function quoted(text: string): string {
  if (/[\r\n\0]/.test(text)) throw new Error('a word of the configuration has no line breaks');
  return `"${text.replace(/[\\"$]/g, '\\$&')}"`;
}

/** Text in a log-format string that is to come out as it is. */
export function literal(text: string): string {
  return text.replaceAll('%', '%%');
}
