import type { Finished } from './meter.ts';

/** What a request was, for the access log and traces. The exchange itself may serve as one: nothing of it is kept. */
export interface RequestAbout {
  readonly method: string;
  /** As `normalizedHost` gives it. */
  readonly host: string;
  /** Path and query; the query is never written anywhere. */
  readonly target: string;
  readonly clientAddress: string;
  readonly requestId: string;
  /** As it was sent on to the instance. */
  readonly traceparent: string;
  /** Whether the trace began here, for want of one from the client. */
  readonly startsTrace: boolean;
  readonly environment: string;
  readonly service: string;
  readonly release: string;
  /** Empty when it reached none. */
  readonly instance: string;
}

/** Told of every request at its end; decides by itself what it writes of which. Never throws and never waits. */
export interface RequestObserver {
  observe(finished: Finished, about: RequestAbout): void;
  /** Hands on what is buffered. */
  close(): Promise<void>;
}

/** All of them as one; undefined when there is none, so that nothing is called in vain. */
export function observers(all: readonly RequestObserver[]): RequestObserver | undefined {
  if (all.length < 2) return all[0];
  return {
    observe: (finished, about) => {
      for (const each of all) each.observe(finished, about);
    },
    close: async () => {
      await Promise.all(all.map((each) => each.close()));
    },
  };
}

/** Without its query, which may hold secrets, and no longer than is of use. */
export function pathOf(target: string): string {
  const end = target.indexOf('?');
  return (end < 0 ? target : target.slice(0, end)).slice(0, 1_024);
}
