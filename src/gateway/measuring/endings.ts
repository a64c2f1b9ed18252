import type { Ending } from './meter.ts';

/** Ways a request ends, in the order of their counters; `Ending` is the contract. */
export const endings = ['answered', 'failed', 'aborted', 'abandoned', 'refused', 'cached', 'switched'] as const satisfies readonly Ending[];

/** By the first digit of the status; `none`: no answer was given. */
export const statusClasses = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;
