import { chmodSync, closeSync, openSync } from 'node:fs';
import { pino, type Logger } from 'pino';
import type { KnownSecrets } from '../secrets/known-secrets.ts';

export type { Logger } from 'pino';

/**
 * The control plane's own log: JSON lines appended to `file`, which only its owner can read. Nothing that is logged should hold a secret;
 * what looks like one in the words of an unexpected error is masked all the same.
 */
export function openLog(file: string, secrets: Pick<KnownSecrets, 'scrub'> = { scrub: (text) => text }): Logger {
  const mask = (text: string): string => maskSecrets(secrets.scrub(text));
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  return pino(
    {
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (thrown: unknown) => describeForLog(thrown, mask) },
    },
    // Written at once: the last lines before a crash are the ones that matter.
    pino.destination({ dest: file, append: true, sync: true }),
  );
}

/** Message, stack and causes of anything thrown, masked. */
function describeForLog(thrown: unknown, mask: (text: string) => string): unknown {
  if (!(thrown instanceof Error)) return mask(String(thrown));
  return {
    name: thrown.name,
    message: mask(thrown.message),
    stack: mask(thrown.stack ?? ''),
    ...(thrown.cause !== undefined && { cause: describeForLog(thrown.cause, mask) }),
  };
}

/** Keys of this API, credentials in URLs, bearer tokens, and values of anything called a password, token or secret. */
export function maskSecrets(text: string): string {
  return text
    .replaceAll(/sk_[A-Za-z0-9_-]{10,}/g, 'sk_***')
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s/@]+@/gi, '$1:***@')
    .replaceAll(/\b(bearer)\s+[^\s"']+/gi, '$1 ***')
    .replaceAll(/((?:password|passwd|secret|token|api[_-]?key)["']?\s*[:=]\s*["']?)[^\s"',;}]+/gi, '$1***');
}
