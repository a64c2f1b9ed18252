import type { Json } from '../digest/json.ts';
import type { Clock } from '../effects/clock.ts';
import type { Engine } from '../engine/engine.ts';
import type { GatewayControl } from '../gateway/control/gateway-control.ts';
import type { Workloads } from '../providers/workloads.ts';
import type { ServiceController } from '../rollout/service-controller.ts';
import type { Store } from '../store/store.ts';
import type { ControlledDatabases } from './database-desk.ts';
import type { Logger } from './log.ts';
import type { ControlledRuns } from './run-book.ts';
import { runningInstances } from './running-instances.ts';

export interface PutDown {
  /** Instances that did not end by themselves in all the time they had. */
  readonly forced: readonly string[];
  /** Nothing of this home runs any more. */
  readonly nothingRuns: boolean;
}

/** What has to be ended. */
export interface EndingParts {
  readonly runs: Pick<ControlledRuns, 'cancelAll'>;
  readonly databases: Pick<ControlledDatabases, 'cancelAll'>;
  readonly engine: Pick<Engine, 'suspendAll'>;
  readonly controller: Pick<ServiceController, 'stop' | 'stopTimeMs'>;
  readonly gateway: Pick<GatewayControl, 'stop' | 'leave'>;
  readonly workloads: Pick<Workloads, 'list' | 'inspect' | 'stop'>;
  readonly store: Pick<Store, 'list'>;
}

export interface PutDownRequest {
  readonly workloads: 'stop' | 'keep';
  /** Has been told to end. */
  readonly takingUp: Promise<void>;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn' | 'error'>;
}

/** What a run or the start is doing at this moment is finished, within reason: the journal knows what was begun. */
const unfinishedMs = 10_000;
/** For databases and caches, beside the time that services take. */
const serversMs = 60_000;
const controllerMs = 10_000;
/** An instance that nobody could drain: SIGTERM, and SIGKILL after this long. */
const forcedMs = 5_000;
/** Its drain deadline and the time to end it by force are well within. */
const gatewayMs = 30_000;

/** Ends everything, or everything but what serves. Whatever hangs, it resolves: each step has its time, and force has the last word. */
export async function putDown(parts: EndingParts, { workloads: wanted, takingUp, clock, log }: PutDownRequest): Promise<PutDown> {
  const { engine, runs, databases, gateway, controller, workloads, store } = parts;

  /** Whether the work was done within its time. */
  const within = async (limitMs: number, what: string, work: Promise<unknown>): Promise<boolean> => {
    const done = new AbortController();
    const late = clock.sleep(limitMs, done.signal).then(
      () => {
        log.warn({ limitMs }, `${what} took too long and is not waited for`);
        return false;
      },
      () => false,
    );
    const ended = work.then(
      () => true,
      (error: unknown) => {
        log.error({ error }, `${what} failed at the end`);
        return false;
      },
    );
    const inTime = await Promise.race([ended, late]);
    done.abort();
    return inTime;
  };

  await within(unfinishedMs, 'cancelling the runs', runs.cancelAll());
  await within(unfinishedMs, 'cancelling the work on databases', databases.cancelAll());
  await within(unfinishedMs, 'taking up', takingUp);
  if (wanted === 'keep') {
    await within(controllerMs, 'the service controller', controller.stop());
    gateway.leave();
    return { forced: [], nothingRuns: false };
  }

  const over = new AbortController();
  let failed: readonly string[] | undefined;
  const suspending = engine.suspendAll(over.signal).then((addresses) => {
    failed = addresses;
  });
  const servicesMs = await controller.stopTimeMs().catch(() => 0);
  if (!(await within(servicesMs + serversMs, 'suspending', suspending))) {
    over.abort(new Error('the control plane is ending'));
    await within(unfinishedMs, 'suspending', suspending);
  }
  await within(controllerMs, 'the service controller', controller.stop());
  const left = await runningInstances(workloads);
  const forced = left.map(({ id }) => id);
  if (forced.length > 0) {
    log.warn({ instances: forced }, 'ending by force what did not end');
    await within(3 * forcedMs, 'ending by force', Promise.all(forced.map((id) => workloads.stop(id, forcedMs))));
  }
  const gatewayEnded = await within(gatewayMs, 'the gateway', gateway.stop());

  // A resource that was never finished is not suspended either, and may have left a server.
  const unfinished = (await store.list('resources')).filter(({ key, value }) => !isOfService(key) && !hasId(value));
  const nothingRuns =
    gatewayEnded && failed?.every(isOfService) === true && unfinished.length === 0 && (await runningInstances(workloads)).length === 0;
  return { forced, nothingRuns };
}

function isOfService(address: string): boolean {
  return address.split('/')[1] === 'service';
}

function hasId(value: Json): boolean {
  return typeof value === 'object' && value !== null && 'id' in value && value['id'] !== '';
}
