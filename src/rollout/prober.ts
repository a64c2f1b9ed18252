import type { Clock } from '../effects/clock.ts';
import type { Workloads } from '../providers/workloads.ts';
import type { HealthSettings } from './service-state.ts';
import type { Health } from './strategy.ts';

const firstPauseMs = 25;
/** So many failed checks in a row make a ready instance unready. */
const failuresToUnready = 3;

export interface Prober {
  /** Checks the process again and again until it is unwatched. Watching the same process again changes nothing. */
  watch(id: string, pid: number, settings: HealthSettings): void;
  unwatch(id: string): void;
  /** What the checks of exactly this process have shown. */
  healthOf(id: string, pid: number): { readonly health: Health; readonly reason?: string };
  stop(): void;
}

/** Readiness checks in the background: eager while an instance starts, at its declared interval afterwards. */
export function createProber(dependencies: {
  readonly workloads: Workloads;
  readonly clock: Clock;
  /** The instance's health has changed. */
  readonly changed: (id: string) => void;
}): Prober {
  const { workloads, clock, changed } = dependencies;
  const watches = new Map<string, Watch>();

  async function run(id: string, watch: Watch, settings: HealthSettings): Promise<void> {
    const { signal } = watch.controller;
    let pause = Math.min(firstPauseMs, settings.intervalMs);
    while (!signal.aborted) {
      const result = await workloads.probe(id, settings.check);
      if (signal.aborted) return;
      const before = watch.health;
      watch.failures = result.ready ? 0 : watch.failures + 1;
      watch.reason = result.ready ? undefined : result.reason;
      if (result.ready) watch.health = 'passing';
      else if (watch.health !== 'unknown' && watch.failures >= failuresToUnready) watch.health = 'failing';
      if (watch.health !== before) changed(id);
      pause = watch.health === 'unknown' ? Math.min(pause * 1.5, settings.intervalMs) : settings.intervalMs;
      await clock.sleep(pause, signal).catch(() => undefined);
    }
  }

  function unwatch(id: string): void {
    watches.get(id)?.controller.abort();
    watches.delete(id);
  }

  return {
    watch(id, pid, settings) {
      if (watches.get(id)?.pid === pid) return;
      unwatch(id);
      const watch: Watch = { pid, controller: new AbortController(), health: 'unknown', failures: 0, reason: undefined };
      watches.set(id, watch);
      // A port that breaks its promise never to throw stops being asked; the instance then simply stays as it was.
      run(id, watch, settings).catch(() => undefined);
    },
    unwatch,
    healthOf(id, pid) {
      const watch = watches.get(id);
      if (watch?.pid !== pid) return { health: 'unknown' };
      return { health: watch.health, ...(watch.reason !== undefined && { reason: watch.reason }) };
    },
    stop() {
      for (const id of watches.keys()) unwatch(id);
    },
  };
}

interface Watch {
  readonly pid: number;
  readonly controller: AbortController;
  health: Health;
  failures: number;
  reason: string | undefined;
}
