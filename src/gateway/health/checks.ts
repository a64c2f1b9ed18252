import type { Clock } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import type { BookedInstance } from './health-book.ts';
import type { ProbeOutcome, ProbeTarget } from './probe.ts';

/** Active checks: every active instance is probed at its service's interval, for as long as the table has it. */
export interface HealthChecks {
  /** Checks exactly the active ones of these from now on. */
  follow(instances: readonly BookedInstance[]): void;
  stop(): void;
}

export interface HealthCheckDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly probe: (target: ProbeTarget) => Promise<ProbeOutcome>;
  readonly report: (key: string, outcome: ProbeOutcome) => void;
}

export function createHealthChecks({ clock, random, probe, report }: HealthCheckDependencies): HealthChecks {
  const followed = new Map<string, { settings: BookedInstance['health']; stop: AbortController }>();

  const check = async ({ key, host, port, health }: BookedInstance, signal: AbortSignal): Promise<void> => {
    // The first check comes at a random moment of the interval, so that a large table is not checked in bursts.
    await clock.sleep(health.intervalMs * random.next(), signal);
    for (;;) {
      const outcome = await probe({ host, port, path: health.path, timeoutMs: health.timeoutMs });
      if (signal.aborted) return;
      report(key, outcome);
      await clock.sleep(health.intervalMs, signal);
    }
  };

  const unfollow = (key: string): void => {
    followed.get(key)?.stop.abort(new Error('no longer checked'));
    followed.delete(key);
  };

  return {
    follow: (instances) => {
      const wanted = new Map(instances.filter(({ state }) => state === 'active').map((instance) => [instance.key, instance]));
      for (const [key, { settings }] of followed) {
        const instance = wanted.get(key);
        if (instance === undefined || !isSame(instance.health, settings)) unfollow(key);
      }
      for (const [key, instance] of wanted) {
        if (followed.has(key)) continue;
        const stop = new AbortController();
        followed.set(key, { settings: instance.health, stop });
        // Ends only by its signal, and then by rejection.
        check(instance, stop.signal).catch(() => {});
      }
    },
    stop: () => {
      for (const key of followed.keys()) unfollow(key);
    },
  };
}

function isSame(one: BookedInstance['health'], other: BookedInstance['health']): boolean {
  return one === other || (one.path === other.path && one.intervalMs === other.intervalMs && one.timeoutMs === other.timeoutMs);
}
