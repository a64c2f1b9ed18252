import { SluiceError, sluiceError, toSluiceError } from '../errors/sluice-error.ts';
import type { ErrorAnswer } from './schemas/error.ts';

/** The part of an error that travels: in an answer, in a run. */
export function describeError(error: SluiceError): ErrorAnswer['error'] {
  return {
    code: error.code,
    message: error.message,
    help: error.help,
    retry: error.retry,
    ...(error.problems.length > 0 && { problems: error.problems }),
  };
}

/**
 * The answer to any error. What is not of the catalogue may carry anything in its message, secrets included: the caller learns only
 * that it happened, and the log has the rest.
 */
export function errorResponse(thrown: unknown): Response {
  const error =
    thrown instanceof SluiceError && thrown.code !== 'internal_error'
      ? thrown
      : sluiceError('internal_error', { reason: 'an unexpected error, written to the log of the control plane' }, { cause: thrown });
  const answer: ErrorAnswer = { error: describeError(error) };
  return Response.json(answer, {
    status: error.status >= 400 ? error.status : 500,
    headers: {
      ...answerHeaders,
      ...(error.status === 401 && { 'www-authenticate': 'Bearer' }),
      ...(error.status === 503 && { 'retry-after': '1' }),
    },
  });
}

/** Nothing of this API is for a browser's cache, for guessing its type, or for a frame. */
export const answerHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

/** Whether an error is the program's fault and not the caller's. */
export function isOurFault(thrown: unknown): boolean {
  return toSluiceError(thrown).status >= 500;
}
