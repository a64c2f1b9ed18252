/** What a header field means to the gateway. Numbers, as every field of every message is looked at. */
export const kind = {
  plain: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  expect: 5,
  upgrade: 6,
  te: 7,
  trailer: 8,
  requestId: 9,
  traceparent: 10,
  tracestate: 11,
  keepAlive: 12,
  /** Concerns one connection only (RFC 9110 section 7.6.1, older drafts included). */
  hopByHop: 13,
  /** Says where a request comes from, or spells a field that frames with underscores: only the gateway may send it. */
  gatewaysOwn: 14,
  sluiceToken: 15,
  /** Who calls. */
  sluiceIdentity: 16,
  /** Any other `x-sluice-*`: between services it belongs to them. */
  sluice: 17,
  sluiceAttributes: 18,
  date: 19,
} as const;

export type FieldKind = (typeof kind)[keyof typeof kind];

const exact = new Map<string, FieldKind>([
  ['host', kind.host],
  ['content-length', kind.contentLength],
  ['transfer-encoding', kind.transferEncoding],
  ['connection', kind.connection],
  ['expect', kind.expect],
  ['upgrade', kind.upgrade],
  ['te', kind.te],
  ['trailer', kind.trailer],
  ['x-request-id', kind.requestId],
  ['traceparent', kind.traceparent],
  ['tracestate', kind.tracestate],
  ['keep-alive', kind.keepAlive],
  ['proxy-connection', kind.hopByHop],
  ['proxy-authenticate', kind.hopByHop],
  ['proxy-authorization', kind.hopByHop],
  ['proxy-authentication-info', kind.hopByHop],
  ['http2-settings', kind.hopByHop],
  ['forwarded', kind.gatewaysOwn],
  ['x-real-ip', kind.gatewaysOwn],
  ['x-sluice-token', kind.sluiceToken],
  ['x-sluice-caller', kind.sluiceIdentity],
  ['x-sluice-attributes', kind.sluiceAttributes],
  ['date', kind.date],
]);

const framing = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'expect', 'upgrade', 'te', 'trailer']);

/** Spellings seen so far. Bounded, and never emptied: names made up by a client cannot drive out those in use. */
const seen = new Map<string, FieldKind>();
const seenAtMost = 2_048;
const longestSeen = 64;

/** Names in any case. CGI-like servers read `X_Forwarded_For` as `X-Forwarded-For`: underscore spellings count as the field. */
export function fieldKind(name: string): FieldKind {
  const known = seen.get(name);
  if (known !== undefined) return known;
  const found = classify(name.toLowerCase());
  // A copy: the name is a slice that would keep the whole header it came with.
  if (seen.size < seenAtMost && name.length <= longestSeen) seen.set(Buffer.from(name, 'latin1').toString('latin1'), found);
  return found;
}

function classify(lower: string): FieldKind {
  const known = exact.get(lower);
  if (known !== undefined) return known;
  const dashed = lower.replaceAll('_', '-');
  if (framing.has(dashed) || dashed.startsWith('x-forwarded-')) return kind.gatewaysOwn;
  const meant = exact.get(dashed);
  if (meant === kind.gatewaysOwn || meant === kind.sluiceIdentity) return meant;
  if (meant === kind.sluiceToken) return kind.sluiceIdentity;
  return dashed.startsWith('x-sluice-') ? kind.sluice : kind.plain;
}

export function isHopByHop(found: FieldKind): boolean {
  switch (found) {
    case kind.connection:
    case kind.keepAlive:
    case kind.hopByHop:
    case kind.te:
    case kind.transferEncoding:
    case kind.upgrade:
      return true;
    default:
      return false;
  }
}

/** Names that a Connection header declares to be hop-by-hop too; undefined when it declares none that is not known to be. */
export function namedByConnection(connection: string): ReadonlySet<string> | undefined {
  if (connection === 'keep-alive' || connection === 'close' || connection === 'Upgrade') return undefined;
  let names: Set<string> | undefined;
  for (const part of connection.split(',')) {
    const name = part.trim().toLowerCase();
    if (name === '' || name === 'close' || isHopByHop(fieldKind(name))) continue;
    names ??= new Set();
    names.add(name);
  }
  return names;
}

const notInTrailers =
  /^(?:content-|host$|trailer$|te$|authorization$|set-cookie$|cookie$|expect$|age$|cache-control$|date$|location$|vary$|forwarded$|x-forwarded-|x-sluice-|x-request-id$|traceparent$|tracestate$|if-)/;

/** Trailer fields that may be passed on: none that frames, routes or authenticates (RFC 9110 section 6.5.1). */
export function forwardableTrailers(raw: readonly string[]): readonly string[] {
  if (raw.length === 0) return raw;
  const kept: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    if (!isHopByHop(fieldKind(name)) && !notInTrailers.test(name.toLowerCase().replaceAll('_', '-'))) {
      kept.push(name, raw[index + 1] as string);
    }
  }
  return kept;
}
