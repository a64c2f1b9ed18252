import type { Json } from '../digest/json.ts';
import { type Clock, timestamp } from '../effects/clock.ts';
import type { LogEntry, Store, Write } from '../store/store.ts';
import type { EventLog, NewEvent, SluiceEvent } from './events.ts';

const log = 'events';
const page = 500;

/** The event log over the store's log `events`; the store's sequence is the one order of all events. */
export function createEventLog({ store, clock }: { readonly store: Store; readonly clock: Clock }): EventLog {
  /** Resolves at the next publication; each waiter takes the current one before it reads, so that no publication falls between. */
  let published = Promise.withResolvers<void>();

  const read = async (after: number, limit: number): Promise<SluiceEvent[]> => (await store.read(log, after, limit)).map(toEvent);

  const entry = (event: NewEvent): Write => {
    const value = { time: timestamp(clock.now()), ...event } satisfies Omit<SluiceEvent, 'sequence'>;
    return { operation: 'append', log, value: value as unknown as Json };
  };

  const announce = (): void => {
    const announced = published;
    published = Promise.withResolvers<void>();
    announced.resolve();
  };

  return {
    publish: async (event) => {
      const [sequence] = await store.transact([entry(event)]);
      announce();
      return sequence as number;
    },
    entry,
    announce,
    read,
    last: () => store.last(log),
    follow: async function* (after, signal) {
      const aborted = Promise.withResolvers<void>();
      const onAbort = (): void => aborted.resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        let position = after;
        while (!signal.aborted) {
          const next = published.promise;
          const events = await read(position, page);
          for (const event of events) {
            if (signal.aborted) return;
            yield event;
            position = event.sequence;
          }
          if (events.length === 0) await Promise.race([next, aborted.promise]);
        }
      } finally {
        signal.removeEventListener('abort', onAbort);
      }
    },
  };
}

function toEvent({ sequence, value }: LogEntry): SluiceEvent {
  return { sequence, ...(value as unknown as Omit<SluiceEvent, 'sequence'>) };
}
