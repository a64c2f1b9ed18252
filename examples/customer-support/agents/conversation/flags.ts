import { log } from './log.ts';

export interface Flags {
  /** The variant of a boolean flag that a user is served; undefined when nobody can be asked, so that the code has a default of its own. */
  variant(flag: string, user: string): Promise<'on' | 'off' | undefined>;
}

const timeoutMs = 300;

/**
 * Asks over OFREP, the protocol of OpenFeature, with what every instance is given: OFREP_ENDPOINT and OFREP_HEADERS
 * (`name=value,name=value`, URL-encoded). A flag costs a moment and never an answer.
 */
export function createFlags(endpoint: string | undefined, encodedHeaders = ''): Flags {
  const headers = new Headers({ 'content-type': 'application/json' });
  for (const pair of decodeURIComponent(encodedHeaders).split(',').filter(Boolean)) {
    headers.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
  }
  return {
    async variant(flag, user) {
      if (!endpoint) return undefined;
      try {
        const response = await fetch(`${endpoint}/ofrep/v1/evaluate/flags/${flag}`, {
          method: 'POST',
          headers,
          body: JSON.stringify({ context: { targetingKey: user } }),
          signal: AbortSignal.timeout(timeoutMs),
        });
        const { variant } = (await response.json()) as { variant?: unknown };
        return variant === 'on' || variant === 'off' ? variant : undefined;
      } catch (error) {
        log('debug', 'a flag cannot be asked for', { flag, error: error instanceof Error ? error.message : String(error) });
        return undefined;
      }
    },
  };
}
