import type { LogSelection } from '../api/ports.ts';
import type { LogLine } from '../api/schemas/service.ts';
import type { Clock } from '../effects/clock.ts';
import { followLogs, readLogs } from '../providers/local/workloads/instance-logs.ts';
import type { RunningInstance, Workloads } from '../providers/workloads.ts';

export interface InstanceLogs {
  read(service: string, selection: LogSelection): Promise<readonly LogLine[]>;
  follow(service: string, selection: LogSelection, signal: AbortSignal): AsyncIterable<LogLine>;
}

const lookIntervalMs = 500;
const allLines = 100_000;

/** What the instances of a service wrote, those that have ended included. `service` is the address. */
export function createInstanceLogs({ workloads, clock }: { workloads: Pick<Workloads, 'list'>; clock: Clock }): InstanceLogs {
  const instancesOf = async (service: string, wanted: string | undefined): Promise<readonly RunningInstance[]> =>
    (await workloads.list())
      .filter((instance) => instance.service === service && (wanted === undefined || instance.id === wanted))
      .toSorted((left, right) => left.startedAt.localeCompare(right.startedAt));

  return {
    read: async (service, { instance: wanted, tail }) => {
      const lines: LogLine[] = [];
      for (const { id, logFile } of await instancesOf(service, wanted)) {
        for (const line of await readLogs(logFile, { tail })) lines.push({ instance: id, line });
      }
      return lines;
    },

    async *follow(service, { instance: wanted, tail }, signal) {
      const over = new AbortController();
      const either = AbortSignal.any([signal, over.signal]);
      const pending = new Map<string, Promise<Arrival>>();
      const followed = new Set<string>();
      /** Of an instance that starts later, every line is new. */
      const look = async (lines: number): Promise<Arrival> => {
        for (const { id, logFile } of await instancesOf(service, wanted)) {
          if (followed.has(id)) continue;
          followed.add(id);
          pending.set(id, next(id, followLogs(logFile, { signal: either, tail: lines, clock })));
        }
        return { id: undefined };
      };
      const lookLater = (): Promise<Arrival> =>
        clock.sleep(lookIntervalMs, either).then(
          () => look(allLines),
          () => ({ id: undefined }),
        );
      await look(tail);
      let looking = lookLater();
      try {
        while (!either.aborted) {
          const arrival = await Promise.race([looking, ...pending.values()]);
          if (arrival.id === undefined) {
            looking = lookLater();
          } else if (arrival.result.done === true) {
            pending.delete(arrival.id);
          } else {
            pending.set(arrival.id, next(arrival.id, arrival.lines));
            yield { instance: arrival.id, line: arrival.result.value };
          }
        }
      } finally {
        over.abort();
      }
    },
  };
}

/** A line of one instance, or (without an id) the moment to look for new instances. */
type Arrival =
  | { readonly id: undefined }
  | { readonly id: string; readonly lines: AsyncIterator<string>; readonly result: IteratorResult<string, unknown> };

async function next(id: string, lines: AsyncIterator<string>): Promise<Arrival> {
  return { id, lines, result: await lines.next() };
}
