import { normalizedHost } from '../../routing/host.ts';
import type { AccessLog } from '../../measuring/access-log.ts';
import type { Finished } from '../../measuring/meter.ts';
import type { HaproxyServer } from '../state/plane-state.ts';
import type { FrontCounts } from '../front-counts.ts';
import { parseLogLine, type LogLine } from './log-line.ts';
import { type LogSampling, weightAt } from './sampling.ts';

/** Whom a line is about; without an instance when it reached none. */
export type Told = Pick<HaproxyServer, 'of' | 'exposed'> & Partial<Pick<HaproxyServer, 'instance'>>;

export interface FrontLogDependencies {
  readonly sampling: LogSampling;
  readonly counts: Pick<FrontCounts, 'record'>;
  readonly accessLog: AccessLog | undefined;
  /** The gateway's part in every trace, see `requestRules`. */
  readonly span: string;
}

/** Takes what HAProxy tells of single requests into the latencies and the access log. `whoIs`: by `slot/server`. */
export function createFrontLog({ sampling, counts, accessLog, span }: FrontLogDependencies) {
  return (text: string, whoIs: (path: string) => Told | undefined): void => {
    const line = parseLogLine(text);
    if (line === undefined) return;
    const told = whoIs(line.path);
    if (told === undefined) return;
    const finished = finishedOf(line);
    const weight = line.drawn === undefined ? 1 : weightAt(line.drawn.rate, sampling);
    if (line.drawn !== undefined) counts.record(told.of, finished, weight);
    const host = line.drawn?.host ?? told.exposed ?? '';
    accessLog?.observe(
      finished,
      {
        method: line.method,
        host: normalizedHost(host) ?? host,
        target: line.target,
        clientAddress: line.clientAddress,
        requestId: line.requestId,
        traceparent: `00-${line.requestId}-${span}-01`,
        startsTrace: true,
        ...told.of,
        instance: idOf(told.instance ?? ''),
      },
      weight,
    );
  };
}

/** The id in `environment/service/id@host:port`. */
function idOf(instance: string): string {
  return instance === '' ? '' : instance.slice(instance.split('/', 2).join('/').length + 1, instance.lastIndexOf('@'));
}

function finishedOf({ status, ending, firstByteMs, totalMs, bytesIn, bytesOut, retries, queuedMs }: LogLine): Finished {
  const measured = { status, ending, firstByteMs, totalMs, bytesIn, bytesOut, retries, queuedMs };
  return { ...measured, probability: 1, by: 'request', unit: 0, shares: undefined, draw: undefined, attributes: '' };
}
