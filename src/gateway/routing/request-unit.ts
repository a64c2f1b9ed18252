import type { RawHeaders } from '../http/downstream.ts';
import type { SplitRoute } from '../routing-table.ts';

export type UnitSource = NonNullable<SplitRoute['affinity']>;

/** Longest bearer token that is looked into: a subject is not worth parsing more. */
const longestToken = 8_192;
const longestSubject = 256;

/**
 * Whom a request comes from, one character a byte; undefined when it does not say. Of a field or cookie that comes several times the last one
 * counts, as in HAProxy (`req.fhdr`, `req.cook`).
 */
export function unitOf(headers: RawHeaders, source: UnitSource): string | undefined {
  if (source.by === 'header') return fieldOf(headers, source.name);
  if (source.by === 'cookie') return cookieOf(headers, source.name);
  return fieldOf(headers, 'x-sluice-user') ?? subjectOf(fieldOf(headers, 'authorization'));
}

/** The last field of this (lower-case) name; undefined when there is none or it is empty. */
export function fieldOf(headers: RawHeaders, name: string): string | undefined {
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    if (isNamed(headers[index] as string, name)) return headers[index + 1] || undefined;
  }
  return undefined;
}

function isNamed(field: string, name: string): boolean {
  return field.length === name.length && (field === name || field.toLowerCase() === name);
}

/** Reads `a=1; b=2` without taking it apart. */
export function cookieOf(headers: RawHeaders, name: string): string | undefined {
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    if (!isNamed(headers[index] as string, 'cookie')) continue;
    const value = lastCookie(headers[index + 1] as string, name);
    if (value !== undefined) return value || undefined;
  }
  return undefined;
}

function lastCookie(field: string, name: string): string | undefined {
  for (let at = field.lastIndexOf(name); at >= 0; at = at === 0 ? -1 : field.lastIndexOf(name, at - 1)) {
    if (field[at + name.length] !== '=' || !beginsCookie(field, at)) continue;
    const from = at + name.length + 1;
    const end = field.indexOf(';', from);
    return field.slice(from, end < 0 ? field.length : end).trim();
  }
  return undefined;
}

function beginsCookie(field: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && (field[before] === ' ' || field[before] === '\t')) before -= 1;
  return before < 0 || field[before] === ';';
}

/** The `sub` of a bearer JWT, whose signature is the service's affair: here it only keeps a user on one side. */
function subjectOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length > longestToken || !/^bearer /i.test(authorization)) return undefined;
  const parts = authorization.slice('bearer '.length).trim().split('.');
  if (parts.length !== 3) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] as string, 'base64url').toString('utf8'));
    if (typeof claims !== 'object' || claims === null || !('sub' in claims)) return undefined;
    const { sub } = claims;
    if (typeof sub !== 'string' || sub === '' || sub.length > longestSubject) return undefined;
    return Buffer.from(sub, 'utf8').toString('latin1');
  } catch {
    return undefined;
  }
}
