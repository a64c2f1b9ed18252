import { isIP } from 'node:net';
import { sluiceError } from '../../errors/sluice-error.ts';

export type EngineAddress =
  | { readonly type: 'socket'; readonly path: string; readonly text: string }
  | { readonly type: 'tcp'; readonly host: string; readonly port: number; readonly text: string };

const usual = 'unix:///var/run/docker.sock';

/**
 * Where the engine listens, by DOCKER_HOST. Containers share this machine's network and files, so it has to be here: throws
 * `engine_address_refused` for another machine and for what is no such address.
 */
export function engineAddress(environment: Readonly<Record<string, string | undefined>>): EngineAddress {
  const text = environment['DOCKER_HOST'] || usual;
  const refuse = (reason: string) => sluiceError('engine_address_refused', { address: text, reason });
  if (text.startsWith('unix://')) {
    const path = text.slice('unix://'.length);
    if (!path.startsWith('/')) throw refuse('a socket is named by its absolute path');
    return { type: 'socket', path, text };
  }
  const url = URL.parse(text);
  if (url?.protocol !== 'tcp:') throw refuse('only unix:// is understood, and tcp:// of the loopback');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!isLoopback(host)) throw refuse('it is on another machine');
  if (url.port === '') throw refuse('it names no port');
  return { type: 'tcp', host, port: Number(url.port), text };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
