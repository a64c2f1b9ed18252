import CachePolicy from 'http-cache-semantics';
import type { RawHeaders } from '../http/downstream.ts';

export interface Freshness {
  /** Milliseconds from now for which the answer may be used. Above zero. */
  readonly lifetimeMs: number;
  readonly isExplicit: boolean;
  readonly initialAge: number;
}

/** Answers for which the declared time holds when they say nothing: success and permanent redirects. An error is kept only if it says so. */
const keptByDefault = new Set([200, 203, 204, 300, 301, 308]);

/** Whether the request says who it comes from, so that its answer may be for that person alone. */
export function hasCredentials(fields: ReadonlyMap<string, string>): boolean {
  return fields.has('authorization') || fields.has('cookie') || fields.has('x-sluice-user');
}

/**
 * How long a shared cache may use an answer (RFC 9111, by `http-cache-semantics`); undefined when it may not keep it. What the answer says
 * wins over `defaultMs`, which holds only for an answer that says nothing to a request without credentials. A stale answer is never used,
 * so `must-revalidate` asks for nothing more. Stricter than the standard: an answer that sets a cookie is kept in no case.
 */
export function freshnessOf(
  request: { readonly method: string; readonly fields: ReadonlyMap<string, string> },
  answer: { readonly status: number; readonly fields: ReadonlyMap<string, string> },
  defaultMs: number,
): Freshness | undefined {
  const directives = directivesOf(answer.fields.get('cache-control'));
  if (answer.fields.has('set-cookie')) return undefined;
  const isExplicit = directives.some((each) => /^(?:s-maxage|max-age)=/.test(each)) || answer.fields.has('expires');
  if (!isExplicit && !keepsByDefault(request.fields, answer, directives)) return undefined;
  const asked = directivesOf(request.fields.get('cache-control')).join(', ');
  const said = (isExplicit ? directives : [...directives, 'max-age=1']).join(', ');
  const policy = new CachePolicy(
    { method: request.method, url: '/', headers: { ...Object.fromEntries(request.fields), 'cache-control': asked } },
    { status: answer.status, headers: { ...Object.fromEntries(answer.fields), 'cache-control': said } },
    { shared: true, cacheHeuristic: 0, immutableMinTimeToLive: 0 },
  );
  if (!policy.storable()) return undefined;
  const initialAge = Math.max(0, Number.parseInt(answer.fields.get('age') ?? '0', 10) || 0);
  const allowedMs = policy.maxAge() * 1_000;
  const lifetimeMs = (isExplicit || allowedMs <= 0 ? allowedMs : defaultMs) - initialAge * 1_000;
  return lifetimeMs > 0 ? { lifetimeMs, isExplicit, initialAge } : undefined;
}

function keepsByDefault(
  request: ReadonlyMap<string, string>,
  { status, fields }: { readonly status: number; readonly fields: ReadonlyMap<string, string> },
  directives: readonly string[],
): boolean {
  if (!keptByDefault.has(status) || hasCredentials(request)) return false;
  return directives.length > 0 || !(fields.get('pragma') ?? '').toLowerCase().includes('no-cache');
}

/** Names in lower case, as the library expects them; directives about reuse after expiry left out. */
export function directivesOf(field: string | undefined): string[] {
  if (field === undefined) return [];
  const directives = field.split(',').map((each) => each.trim().replace(/^[^=]*/, (name) => name.trim().toLowerCase()));
  return directives.filter((each) => each !== '' && each !== 'must-revalidate' && each !== 'proxy-revalidate');
}

/** Fields by their lower-case name, several of one name joined by a comma. */
export function fieldsOf(headers: RawHeaders): Map<string, string> {
  const fields = new Map<string, string>();
  for (let index = 0; index < headers.length; index += 2) {
    const name = (headers[index] as string).toLowerCase();
    const before = fields.get(name);
    fields.set(name, before === undefined ? (headers[index + 1] as string) : `${before}, ${headers[index + 1]}`);
  }
  return fields;
}

/** What a client asks of caches: whether a kept answer of this age that is fresh for so long still may be used for it. */
export function clientAllows(request: ReadonlyMap<string, string>, ageSeconds: number, freshSeconds: number): boolean {
  const field = request.get('cache-control');
  if (field === undefined) return !(request.get('pragma') ?? '').toLowerCase().includes('no-cache');
  for (const directive of directivesOf(field)) {
    const [name, value = ''] = directive.split('=', 2);
    if (name === 'no-cache' || name === 'no-store') return false;
    const seconds = Number.parseInt(value.replaceAll('"', ''), 10);
    if (name === 'max-age' && !(ageSeconds <= seconds)) return false;
    if (name === 'min-fresh' && !(freshSeconds >= seconds)) return false;
  }
  return true;
}
