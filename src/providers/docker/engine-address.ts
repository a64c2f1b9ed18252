import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sluiceError } from '../../errors/sluice-error.ts';
import { contextHost, currentContext } from './docker-context.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface EngineAddress {
  readonly path: string;
  /** `unix://` and the path. */
  readonly text: string;
  /** Who names it, in words. */
  readonly by: string;
}

const scheme = 'unix://';
const usual = `${scheme}/var/run/docker.sock`;

/**
 * Where the engine listens, as the `docker` command finds it: by DOCKER_HOST, else by the context that DOCKER_CONTEXT or Docker's
 * configuration names, else at the usual place. Containers share this machine's network and files, so it has to be a socket of this machine:
 * throws `engine_address_refused` for everything else, and `docker_context_unusable`.
 */
export function engineAddress(environment: Environment): EngineAddress {
  const { text, by } = named(environment);
  const refuse = (reason: string) => sluiceError('engine_address_refused', { address: text, by, reason });
  if (!text.startsWith(scheme)) throw refuse(elsewhere(text));
  const path = text.slice(scheme.length);
  if (!path.startsWith('/')) throw refuse('a socket is named by its absolute path');
  return { path, text, by };
}

/** The socket a rootless engine of this user would listen at, if there is one. */
export function rootlessSocket({ XDG_RUNTIME_DIR: folder }: Environment): string | undefined {
  const path = folder?.startsWith('/') ? join(folder, 'docker.sock') : undefined;
  return path !== undefined && existsSync(path) ? path : undefined;
}

function named(environment: Environment): { readonly text: string; readonly by: string } {
  const { DOCKER_HOST: host } = environment;
  if (host) return { text: host, by: 'by DOCKER_HOST' };
  const context = currentContext(environment);
  if (context === undefined) return { text: usual, by: 'the usual place' };
  return { text: contextHost(context, environment) ?? usual, by: `by the Docker context '${context.name}'` };
}

function elsewhere(text: string): string {
  if (/^(tcp|https?):/i.test(text)) return 'it is asked over TCP, by which it may be on any machine';
  return /^ssh:/i.test(text) ? 'it is on another machine' : 'only unix:// is understood';
}
