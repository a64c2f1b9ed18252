const hostPattern = /^(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?|\[[0-9a-f:.]+\])(?::\d{0,5})?$/;

/**
 * The name a Host header (or a configured host) stands for: lower case, without port and without the trailing dot of a fully qualified
 * name. Undefined for anything that is not `host[:port]`, so that two readers can never see two hosts in it.
 */
export function normalizedHost(host: string): string | undefined {
  const lower = host.toLowerCase();
  if (lower.length > 260 || !hostPattern.test(lower)) return undefined;
  const end = lower.startsWith('[') ? lower.indexOf(']') + 1 : lower.indexOf(':');
  const name = end <= 0 ? lower : lower.slice(0, end);
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** A configured path prefix without its trailing slash; the root becomes the empty string. */
export function normalizedPrefix(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
