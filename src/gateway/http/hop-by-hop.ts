/** Fields that concern one connection only (RFC 9110 section 7.6.1), those of older drafts included. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

export function isHopByHop(lowerName: string): boolean {
  return hopByHop.has(lowerName);
}

/** Names that a Connection header declares to be hop-by-hop too; undefined when it declares none that is not known to be. */
export function namedByConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close' || connection === 'Upgrade') return undefined;
  const names = connection
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'close' && !hopByHop.has(name));
  return names.length > 0 ? new Set(names) : undefined;
}

const notInTrailers =
  /^(?:content-|host$|trailer$|te$|authorization$|set-cookie$|cookie$|expect$|age$|cache-control$|date$|location$|vary$|forwarded$|x-forwarded-|x-sluice-|if-)/;

/** Trailer fields that may be passed on, as name and value pairs: none that frames, routes or authenticates (RFC 9110 section 6.5.1). */
export function forwardableTrailers(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    const lower = name.toLowerCase();
    if (!isHopByHop(lower) && !notInTrailers.test(lower)) pairs.push([name, raw[index + 1] as string]);
  }
  return pairs;
}
