import type { JsonObject } from '../digest/json.ts';
import type { SluiceError } from '../errors/sluice-error.ts';
import type { Action, Change } from '../plan/plan.ts';
import type { NewEvent } from '../telemetry/events.ts';
import type { RunContext } from './run-context.ts';
import { reportError } from './run-report.ts';

export type Effective = Exclude<Action, 'none'>;

/** How one change is told: as events that are written in the transactions of the change itself. */
export interface Telling {
  /** One line of progress. Not waited for, yet in the log before the change counts as finished. */
  report(message: string): void;
  /** For the transaction that begins the change; empty when it has been told. */
  started(): readonly NewEvent[];
  /** For the transaction that ends it. */
  finished(): Promise<readonly NewEvent[]>;
  failed(error: SluiceError): Promise<readonly NewEvent[]>;
  readonly isOver: boolean;
  durationMs(): number;
}

export function tellChange(context: RunContext, change: Change, action: Effective): Telling {
  const { kind, name } = change;
  const { clock, events, secrets } = context;
  const begun = clock.monotonic();
  const durationMs = (): number => Math.round(clock.monotonic() - begun);
  let [isStarted, isOver] = [false, false];
  let reported: Promise<unknown> = Promise.resolve();
  const event = (type: NewEvent['type'], level: NewEvent['level'], message: string, data: JsonObject): NewEvent =>
    changeEvent(context, change, { type, level, message, data: { action, ...data } });
  const started = (): readonly NewEvent[] => {
    if (isStarted) return [];
    isStarted = true;
    return [event('change.started', 'info', `${progressive[action]} ${kind}/${name}`, {})];
  };
  const end = async (last: NewEvent): Promise<readonly NewEvent[]> => {
    await reported;
    isOver = true;
    return [...started(), last];
  };
  return {
    report: (message) => {
      const told = event('change.progressed', 'info', secrets.scrub(message), {});
      reported = reported.then(() => events.publish(told)).catch(() => undefined);
    },
    started,
    finished: () => end(event('change.finished', 'info', `${kind}/${name} ${past[action]}`, { durationMs: durationMs() })),
    failed: (error) => {
      const data = { durationMs: durationMs(), error: { ...reportError(error) } };
      return end(event('change.failed', 'error', `${kind}/${name}: ${error.message}`, data));
    },
    get isOver() {
      return isOver;
    },
    durationMs,
  };
}

/** An event about one change of a run. */
export function changeEvent(
  context: RunContext,
  { address, kind }: Change,
  event: Omit<NewEvent, 'address' | 'run' | 'environment'>,
): NewEvent {
  return { ...event, environment: context.plan.environment, run: context.run, address, data: { kind, ...(event.data as object) } };
}

const progressive: Readonly<Record<Effective, string>> = {
  create: 'creating',
  adopt: 'adopting',
  move: 'moving',
  refresh: 'recording what was found of',
  update: 'updating',
  replace: 'replacing',
  delete: 'deleting',
};
const past: Readonly<Record<Effective, string>> = {
  create: 'created',
  adopt: 'adopted',
  move: 'moved',
  refresh: 'recorded as found',
  update: 'updated',
  replace: 'replaced',
  delete: 'deleted',
};
