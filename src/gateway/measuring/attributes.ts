/** Values of one attribute, each given a number; allocates only when it meets a new one. */
export interface Categories {
  /** The number of the value in a header `name=value, name=value` (`;` will do too); -1 when the attribute is not in it. */
  of(header: string): number;
  names(): readonly string[];
}

/** Whether this is the attribute's value in such a header. Allocates nothing. */
export function hasValue(header: string, attribute: string, value: string): boolean {
  if (header === '') return false;
  const start = valueStart(header, attribute);
  return start >= 0 && header.startsWith(value, start) && valueEnd(header, start) === start + value.length;
}

/** The attribute's value in such a header; undefined when it is not in it, or empty. */
export function valueIn(header: string, attribute: string): string | undefined {
  const start = valueStart(header, attribute);
  return start < 0 ? undefined : header.slice(start, valueEnd(header, start)) || undefined;
}

const mostCategories = 24;
const longestValue = 64;

/** What is counted together once there are 24 values, and values of more than 64 characters. */
const otherCategory = 'other';

export function createCategories(attribute: string): Categories {
  const names: string[] = [otherCategory];
  return {
    of: (header) => {
      const start = valueStart(header, attribute);
      if (start < 0) return -1;
      const end = valueEnd(header, start);
      for (let index = 0; index < names.length; index += 1) {
        const name = names[index] as string;
        if (name.length === end - start && header.startsWith(name, start)) return index;
      }
      if (end - start > longestValue || names.length > mostCategories) return 0;
      names.push(header.slice(start, end));
      return names.length - 1;
    },
    names: () => names,
  };
}

function valueStart(header: string, attribute: string): number {
  for (let at = 0; at < header.length; ) {
    while (isSpace(header.charCodeAt(at))) at += 1;
    if (header.startsWith(attribute, at) && header[at + attribute.length] === '=') return at + attribute.length + 1;
    while (at < header.length && !isSeparator(header.charCodeAt(at))) at += 1;
    at += 1;
  }
  return -1;
}

function valueEnd(header: string, start: number): number {
  let end = start;
  while (end < header.length && !isSeparator(header.charCodeAt(end))) end += 1;
  while (end > start && isSpace(header.charCodeAt(end - 1))) end -= 1;
  return end;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9;
}

function isSeparator(code: number): boolean {
  return code === 44 || code === 59;
}
