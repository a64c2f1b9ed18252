import { hostname, networkInterfaces } from 'node:os';
import { sluiceError } from '../errors/sluice-error.ts';

interface RequestedHost {
  readonly url: string;
  readonly headers: { get(name: string): string | null };
}

/**
 * Refuses a request under a name that this control plane was not told to answer to. A web page whose own name was made to resolve to
 * 127.0.0.1 (DNS rebinding) sends its own name here. Throws `host_refused`.
 */
export function refuseForeignHost(request: RequestedHost, allowed: readonly string[]): void {
  const host = request.headers.get('host') ?? new URL(request.url).host;
  if (!allowed.includes(hostName(host))) throw sluiceError('host_refused', {});
}

/** `localhost` of `LOCALHOST:8080`, `[::1]` of `[::1]:8080`. */
function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '');
}

/**
 * The names for a server that listens on `host`: what it listens on, and the loopback names. One that listens everywhere answers under
 * every address and the name of this machine.
 */
export function hostsFor(host: string): readonly string[] {
  const everywhere = host === '0.0.0.0' || host === '::';
  const own = everywhere ? Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address)) : [];
  return ['127.0.0.1', 'localhost', '[::1]', bracketed(host), ...own.map(bracketed), ...(everywhere ? [hostname().toLowerCase()] : [])];
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address.toLowerCase();
}
