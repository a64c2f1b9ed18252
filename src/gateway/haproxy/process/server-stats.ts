import type { HaproxyServer } from '../state/plane-state.ts';

/** What HAProxy counts of one server, since its process was started. */
export interface ServerStats {
  /** `slot/name`. */
  readonly path: string;
  /** Requests, streams and upgraded connections it has. */
  readonly inFlight: number;
  readonly queued: number;
  readonly requests: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly retries: number;
  readonly failedConnections: number;
  readonly failedAnswers: number;
  /** Answers by the first digit of their status. */
  readonly byClass: Readonly<Record<'1' | '2' | '3' | '4' | '5', number>>;
}

/** With whose it is. */
export type InstanceStats = ServerStats & Pick<HaproxyServer, 'instance' | 'of'>;

/** Reads the answer to `show stat -1 4 -1` (management guide, section 9.1). */
export function parseServerStats(text: string): readonly ServerStats[] {
  const lines = text.split('\n').filter((line) => line !== '');
  const header = lines.shift();
  if (header === undefined || !header.startsWith('# ')) throw new Error('HAProxy gave no statistics');
  const at = new Map(
    header
      .slice(2)
      .split(',')
      .map((name, index) => [name, index]),
  );
  return lines.map((line) => {
    const cells = line.split(',');
    const number = (name: string): number => Number(cells[at.get(name) ?? -1] ?? 0) || 0;
    return {
      path: `${cells[0]}/${cells[1]}`,
      inFlight: number('scur'),
      queued: number('qcur'),
      requests: number('stot'),
      bytesIn: number('bin'),
      bytesOut: number('bout'),
      retries: number('wretr') + number('wredis'),
      failedConnections: number('econ'),
      failedAnswers: number('eresp'),
      byClass: {
        1: number('hrsp_1xx'),
        2: number('hrsp_2xx'),
        3: number('hrsp_3xx'),
        4: number('hrsp_4xx'),
        5: number('hrsp_5xx'),
      },
    };
  });
}
