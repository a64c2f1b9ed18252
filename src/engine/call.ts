import type { Operation, Provider } from '../providers/provider.ts';
import { withRetry } from './retry.ts';
import type { RunContext } from './run-context.ts';
import type { Telling } from './telling.ts';

/** One call to a provider, within its rate, tried again as its error says; each attempt only by the one who holds the environment. */
export function call<Result>(
  context: RunContext,
  provider: Provider,
  id: string,
  telling: Pick<Telling, 'report'>,
  work: (operation: Operation) => Promise<Result>,
): Promise<Result> {
  const operation: Operation = {
    id,
    ...(context.by !== undefined && { by: context.by }),
    signal: AbortSignal.any([context.cancelled, context.lease.lost]),
    lost: context.lease.lost,
    progress: (message) => telling.report(message),
  };
  const attempt = async (): Promise<Result> => {
    await context.limits.take(provider, context.lease.lost);
    await context.lease.ensureHeld();
    return work(operation);
  };
  return withRetry(context, attempt, {
    signal: AbortSignal.any([context.cancelled, context.lease.lost]),
    onRetry: (error, waitMs, { attempt: tried, attempts }) =>
      telling.report(`${error.message} Trying again in ${(waitMs / 1_000).toFixed(1)} s (attempt ${tried + 1} of ${attempts}).`),
  });
}
