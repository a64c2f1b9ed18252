import type { Ending } from '../../measuring/meter.ts';

/** What HAProxy tells of one request. */
export interface LogLine {
  /** `slot/server`; the server is `<NOSRV>` when it reached none. */
  readonly path: string;
  readonly status: number;
  readonly ending: Ending;
  /** Milliseconds: in microseconds for what was drawn to be told, else whole ones. */
  readonly firstByteMs: number;
  readonly totalMs: number;
  readonly queuedMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly retries: number;
  readonly requestId: string;
  readonly clientAddress: string;
  readonly method: string;
  readonly target: string;
  /** Undefined: told only for being an error, whatever the rate. */
  readonly drawn: { readonly rate: number; readonly host: string } | undefined;
}

const fieldCount = 16;

/** A line by `logFormat` of log-rules.ts. Undefined for what is none, such as one that was cut. */
export function parseLogLine(line: string): LogLine | undefined {
  if (!line.startsWith('+')) return undefined;
  const fields = line.split(' ', fieldCount + 1);
  if (fields.length !== fieldCount) return undefined;
  const [path, head, end, status, bytesIn, bytesOut, state, retries, waited, headMs, totalMs, requestId, client, method, told, target] =
    fields as [string, ...string[]] & { length: typeof fieldCount };
  const [start, rate, host] = told === '-' || told === undefined ? [] : told.split(',');
  const began = Number(start);
  const ending = endingOf(state ?? '', Number(status));
  return {
    path: path.slice(1),
    status: ending === 'failed' && status === '503' ? 502 : Math.max(0, number(status)),
    ending,
    firstByteMs: start !== undefined && head !== '-' ? elapsedMs(began, Number(head)) : number(headMs),
    totalMs: start === undefined ? number(totalMs) : elapsedMs(began, Number(end)),
    queuedMs: number(waited),
    bytesIn: number(bytesIn),
    bytesOut: number(bytesOut),
    // A plus stands before the number when the last one went to another server.
    retries: number(retries),
    requestId: requestId ?? '',
    clientAddress: client ?? '',
    method: method ?? '',
    target: target ?? '',
    drawn: start === undefined ? undefined : { rate: number(rate), host: host ?? '' },
  };
}

/** What did not take place is -1. */
function number(text: string | undefined): number {
  const value = Number(text);
  return value > 0 ? value : 0;
}

function elapsedMs(from: number, to: number): number {
  return to > from ? (to - from) / 1_000 : 0;
}

/**
 * By the two letters of the termination state (configuration manual, section 8.5): who ended it, and in which phase. In capitals it was
 * broken off, in small letters it took too long.
 */
function endingOf(state: string, status: number): Ending {
  const [who = '-', phase = '-'] = state;
  if (who === '-') return 'answered';
  if (who === 'C' || who === 'c') return 'abandoned';
  if (phase === 'D' || phase === 'L') return 'aborted';
  return status >= 500 ? 'failed' : 'refused';
}
