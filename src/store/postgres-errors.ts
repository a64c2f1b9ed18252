import { SluiceError, sluiceError } from '../errors/sluice-error.ts';

/** What went wrong between us and the server: nothing can have been written, unless COMMIT was on its way. */
const connectionCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);
// SQLSTATE classes and codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
const brokenClasses: ReadonlySet<string> = new Set(['08', '57']);
const repeatable: ReadonlySet<string> = new Set(['40001', '40P01']);
const busy: ReadonlySet<string> = new Set(['55P03', '57014', '53300', '25P03']);
const refusals: ReadonlySet<string> = new Set(['22', '23', '28', '3D', '3F', '42']);

export type Fault = 'connection' | 'repeatable' | 'other';

/** Whether it is worth trying again at once: on another connection, or on the same. */
export function faultOf(error: unknown): Fault {
  const { code, message } = error as { code?: string; message?: string };
  if (code !== undefined && repeatable.has(code)) return 'repeatable';
  if (code !== undefined && busy.has(code)) return 'other';
  if (code !== undefined && (connectionCodes.has(code) || brokenClasses.has(code.slice(0, 2)))) return 'connection';
  return code === undefined && /connection terminated|connection ended|not queryable|timeout/i.test(message ?? '') ? 'connection' : 'other';
}

/**
 * What the driver and the server throw, as errors of the catalogue: a server that cannot be reached or is busy is worth another try, one
 * that knows neither user nor database is not. The driver's errors never hold the password.
 */
export function asPostgresError(store: string, error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const { code = '', message } = error as { code?: string; message: string };
  const reason = reasonOf(error, code, message);
  if (faultOf(error) === 'connection' || busy.has(code)) return sluiceError('store_unreachable', { store, reason }, { cause: error });
  if (refusals.has(code.slice(0, 2)) || isTlsFault(code) || /SASL|password|SSL/i.test(message)) {
    return sluiceError('store_refused', { store, reason }, { cause: error });
  }
  return sluiceError('store_unavailable', { path: store, reason }, { cause: error });
}

function isTlsFault(code: string): boolean {
  return code.startsWith('ERR_TLS_') || code.startsWith('ERR_SSL_') || /CERT|SIGNATURE/.test(code);
}

function reasonOf(error: unknown, code: string, message: string): string {
  // A name with several addresses fails once for each.
  if (error instanceof AggregateError) return (error.errors as Error[]).map((each) => each.message).join(', ');
  if (code === '57014' || code === '55P03') return `it is busy (${message})`;
  return message === '' ? code : message;
}
