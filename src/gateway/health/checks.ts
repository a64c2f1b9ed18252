import type { Clock } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import type { Instance } from '../balancing/instance.ts';
import type { RoutedService } from '../routing/routes.ts';
import type { ProbeOutcome, ProbeTarget } from './probe.ts';

/** Active checks: every active instance is probed at its service's interval, for as long as the table has it. */
export interface HealthChecks {
  /** Checks exactly the active instances of these services from now on. */
  follow(services: readonly RoutedService[]): void;
  stop(): void;
}

export interface HealthCheckDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly probe: (target: ProbeTarget) => Promise<ProbeOutcome>;
  readonly report: (instance: Instance, outcome: ProbeOutcome) => void;
}

export function createHealthChecks({ clock, random, probe, report }: HealthCheckDependencies): HealthChecks {
  const followed = new Map<Instance, { settings: string; stop: AbortController }>();

  const check = async (instance: Instance, health: RoutedService['health'], signal: AbortSignal): Promise<void> => {
    // The first check comes at a random moment of the interval, so that a large table is not checked in bursts.
    await clock.sleep(health.intervalMs * random.next(), signal);
    for (;;) {
      const outcome = await probe({ host: instance.host, port: instance.port, path: health.path, timeoutMs: health.timeoutMs });
      if (signal.aborted) return;
      report(instance, outcome);
      await clock.sleep(health.intervalMs, signal);
    }
  };

  const unfollow = (instance: Instance): void => {
    followed.get(instance)?.stop.abort(new Error('no longer checked'));
    followed.delete(instance);
  };

  return {
    follow: (services) => {
      const wanted = new Map<Instance, RoutedService>();
      for (const service of services) {
        for (const instance of service.instances) if (instance.state === 'active') wanted.set(instance, service);
      }
      for (const [instance, { settings }] of followed) {
        const service = wanted.get(instance);
        if (service === undefined || settingsOf(service) !== settings) unfollow(instance);
      }
      for (const [instance, service] of wanted) {
        if (followed.has(instance)) continue;
        const stop = new AbortController();
        followed.set(instance, { settings: settingsOf(service), stop });
        // Ends only by its signal, and then by rejection.
        check(instance, service.health, stop.signal).catch(() => {});
      }
    },
    stop: () => {
      for (const instance of followed.keys()) unfollow(instance);
    },
  };
}

function settingsOf(service: RoutedService): string {
  return JSON.stringify(service.health);
}
