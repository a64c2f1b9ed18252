import type { RawHeaders, RequestHead } from '../http/downstream.ts';
import type { CacheRoute } from '../routing-table.ts';
import { createAnswerCopy } from './answer-copy.ts';
import { answerFrom, withoutOwnFields } from './answer-fields.ts';
import { createAnswerStore, type KeptAnswer } from './answer-store.ts';
import { clientAllows, fieldsOf, freshnessOf } from './freshness.ts';
import type { CachedAnswer, CacheWriter, ResponseCache } from './response-cache.ts';

/** Who a request may be answered for, by one routing table. */
export interface Sharing {
  /** The releases that have weight. */
  readonly releases: readonly string[];
  /** A request with this field may be for another release than the one with weight. */
  readonly overrideHeader?: string | undefined;
}

/** The kept answers of one service, through all its routing tables. */
export interface ServiceCache {
  /** The cache as one table sees it; forgets what releases answered that are no longer in it. */
  view(sharing: Sharing): ResponseCache;
  bytes(): number;
}

type Fields = ReadonlyMap<string, string>;

/** An answer larger than this share of all the room is not kept: it would push out too much else. */
const largestShare = 1 / 8;
/** What the gateway itself sets for the instance: of an answer that depends on one, the request as it came does not tell the value. */
const setByGateway = /^(?:x-sluice-(?!user$)|x-forwarded-|forwarded$|x-real-ip$|x-request-id$|traceparent$|tracestate$)/;
const credentials = ['authorization', 'cookie', 'x-sluice-user'];
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/**
 * Two answers differ by release, method, scheme, host and target, by the request fields the stack declares in `vary` and by those the answer
 * names in `Vary`. A request that says who it comes from is only answered with what said itself that it may be shared.
 */
export function createServiceCache(settings: CacheRoute): ServiceCache {
  const store = createAnswerStore(settings.maxBytes);
  const largest = Math.floor(settings.maxBytes * largestShare);
  const declared = settings.vary.map((name) => name.toLowerCase());
  const methods = new Set<string>(settings.methods);

  const find = (head: RequestHead, method: string, release: string, fields: Fields, now: number): KeptAnswer | undefined => {
    const isPersonal = credentials.some((name) => fields.has(name) && !declared.includes(name));
    return store.find(keyOf(method, head, release), (answer) => {
      if (now >= answer.staleAt || (isPersonal && !answer.isExplicit) || !isVariantOf(answer, fields)) return false;
      return clientAllows(fields, ageAt(answer, now), (answer.staleAt - now) / 1_000);
    });
  };

  const lookup = (head: RequestHead, now: number, release: string): CachedAnswer | undefined => {
    const fields = fieldsOf(head.headers);
    if (fields.has('range')) return undefined;
    const kept = find(head, 'GET', release, fields, now) ?? (head.method === 'HEAD' ? find(head, 'HEAD', release, fields, now) : undefined);
    return kept && answerFrom(kept, head.method, fields.get('if-none-match'), ageAt(kept, now));
  };

  const writer = (head: RequestHead, status: number, headers: RawHeaders, now: number, release: string): CacheWriter | undefined => {
    const request = fieldsOf(head.headers);
    const answer = fieldsOf(headers);
    const names = variedBy(answer.get('vary'));
    if (names === undefined || request.has('range')) return undefined;
    // What the stack declares to make a difference keeps people apart: then it is no reason to keep nothing.
    const asked = new Map([...request].filter(([name]) => !credentials.includes(name) || !declared.includes(name)));
    const freshness = freshnessOf({ method: head.method, fields: asked }, { status, fields: answer }, settings.ttlMs);
    if (freshness === undefined) return undefined;
    const { lifetimeMs, isExplicit, initialAge } = freshness;
    const hasBody = head.method !== 'HEAD' && status !== 204;
    const length = hasBody ? lengthOf(answer.get('content-length')) : 0;
    if (length !== undefined && !(length <= largest)) return undefined;
    const varies = [...new Set([...declared, ...names])].map((name) => ({ name, value: request.get(name) ?? '' }));
    return createAnswerCopy({ length, largest }, (body) => {
      const fields = withoutOwnFields(headers);
      if (hasBody && length === undefined) fields.push('content-length', String(body.length));
      const kept = { status, headers: fields, body, varies, isExplicit, storedAt: now, staleAt: now + lifetimeMs, initialAge };
      store.keep(keyOf(head.method, head, release), kept, (other) => isVariantOf(other, request));
    });
  };

  /** A request that changes something makes what is known of its target obsolete (RFC 9111, 4.4). */
  const forget = (head: RequestHead, { releases }: Sharing): void => {
    for (const release of releases) {
      for (const method of methods) for (const isEncrypted of [true, false]) store.drop(keyOf(method, { ...head, isEncrypted }, release));
    }
  };

  return {
    bytes: () => store.bytes(),
    view: (sharing) => {
      store.retain((key) => sharing.releases.includes(key.slice(0, key.indexOf(' '))));
      return {
        lookup: (head, now, given) => {
          if ((head.method !== 'GET' && head.method !== 'HEAD') || head.body !== 'none' || head.upgrade !== undefined) return undefined;
          const release = releaseOf(sharing, head, given);
          return release === undefined ? undefined : lookup(head, now, release);
        },
        writer: (head, status, headers, now, given) => {
          if (!safeMethods.has(head.method) && status >= 200 && status < 400) forget(head, sharing);
          if (!methods.has(head.method) || head.body !== 'none' || head.upgrade !== undefined) return undefined;
          const release = releaseOf(sharing, head, given);
          return release === undefined ? undefined : writer(head, status, headers, now, release);
        },
      };
    },
  };
}

/** Whose answers may be used: of the release given, or of the only one there is. */
function releaseOf({ releases, overrideHeader }: Sharing, head: RequestHead, given: string | undefined): string | undefined {
  if (given !== undefined) return releases.includes(given) ? given : undefined;
  if (releases.length !== 1) return undefined;
  return overrideHeader !== undefined && fieldsOf(head.headers).has(overrideHeader.toLowerCase()) ? undefined : releases[0];
}

function keyOf(method: string, head: Pick<RequestHead, 'isEncrypted' | 'host' | 'target'>, release: string): string {
  return `${release} ${method} ${head.isEncrypted ? 'https' : 'http'} ${head.host} ${head.target}`;
}

/** The fields an answer varies by; undefined when it varies by what cannot be compared. */
function variedBy(vary: string | undefined): string[] | undefined {
  const names = (vary ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names.some((name) => name === '*' || setByGateway.test(name)) ? undefined : names;
}

function isVariantOf(answer: KeptAnswer, request: Fields): boolean {
  return answer.varies.every(({ name, value }) => (request.get(name) ?? '') === value);
}

function ageAt(answer: KeptAnswer, now: number): number {
  return Math.floor(answer.initialAge + (now - answer.storedAt) / 1_000);
}

/** NaN for what is no length, which then is not kept. */
function lengthOf(field: string | undefined): number | undefined {
  if (field === undefined) return undefined;
  return /^\d+$/.test(field) ? Number(field) : Number.NaN;
}
