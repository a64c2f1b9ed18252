import { sluiceError } from '../../errors/sluice-error.ts';
import type { SluiceEvent } from '../../telemetry/events.ts';
import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

interface Filter {
  readonly environment?: string | undefined;
  readonly address?: string | undefined;
  readonly run?: string | undefined;
}

/** How many events are looked through for one page; keeps a rare filter on a long log from holding up the server. */
const scanLimit = 10_000;
const pageSize = 500;

export function eventHandlers({ events, runs }: ApiDependencies): Pick<Handlers, 'events'> {
  /** Where to begin: after what the reader has seen, and never before the run it asks for. */
  const startOf = async (filter: Filter, after: number, lastEventId: string | undefined): Promise<number> => {
    const seen = lastEventId === undefined || !/^\d{1,15}$/.test(lastEventId) ? 0 : Number(lastEventId);
    const begun = filter.run === undefined ? 0 : await runs.eventsBefore(filter.run);
    if (begun === undefined) throw sluiceError('unknown_run', { id: filter.run ?? '' });
    return Math.max(after, seen, begun);
  };

  async function* restOf(after: number): AsyncIterable<SluiceEvent> {
    for (let page = await events.read(after, pageSize); page.length > 0; ) {
      yield* page;
      page = await events.read((page.at(-1) as SluiceEvent).sequence, pageSize);
    }
  }

  return {
    events: async ({ query: { after = 0, limit, follow, ...filter }, lastEventId }) => {
      const start = await startOf(filter, after, lastEventId);
      if (follow === true) {
        return {
          async *messages(signal) {
            let position = start;
            for await (const event of events.follow(start, signal)) {
              position = event.sequence;
              if (matches(event, filter)) yield { id: event.sequence, data: event };
            }
            // What was published until the end is told too, the end itself above all.
            for await (const event of restOf(position)) {
              if (matches(event, filter)) yield { id: event.sequence, data: event };
            }
          },
        };
      }
      const items: SluiceEvent[] = [];
      let last = start;
      while (items.length < limit && last - start < scanLimit) {
        const page = await events.read(last, pageSize);
        for (const event of page) {
          if (items.length === limit) break;
          last = event.sequence;
          if (matches(event, filter)) items.push(event);
        }
        if (page.length < pageSize) break;
      }
      return { items, last };
    },
  };
}

function matches(event: SluiceEvent, filter: Filter): boolean {
  return (
    (filter.environment === undefined || event.environment === filter.environment) &&
    (filter.address === undefined || event.address === filter.address) &&
    (filter.run === undefined || event.run === filter.run)
  );
}
