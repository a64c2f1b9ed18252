import type { ServiceRoute } from '../../gateway/routing-table.ts';
import { newService, withDesired } from '../desired-state.ts';
import { operated, type RolloutAction } from '../operate.ts';
import type { RolloutSettings, ServiceState, StageSettings } from '../service-state.ts';
import { desiredRelease } from '../simulation/desired-release.ts';
import { strategyFor } from '../strategies.ts';
import type { Command, Observation, ObservedInstance } from '../strategy.ts';

const identity = { uid: 'a1', token: { sealed: 'sealed', digest: 'digest' } };
export const stage = (weight: number, forMs = 10_000, approval = false): StageSettings => ({ weight, forMs, approval });
export const canary: Partial<RolloutSettings> = { strategy: 'canary', stages: [stage(5), stage(50)] };
export const blueGreen: Partial<RolloutSettings> = { strategy: 'blue_green', fullSet: true, keepPreviousMs: 60_000 };

/** A world in which every instance starts, is ready at once and stops at once, and the gateway does what it is told. */
export function world(settings: Partial<RolloutSettings>, replicas = 4) {
  let now = 0;
  let published: ServiceRoute | undefined;
  let wakeAt: number | undefined;
  const running = new Map<string, ObservedInstance>();
  const trouble = { starts: true, extra: {} as Partial<Observation> };
  const told: Command[] = [];
  const states: ServiceState[] = [];
  const desired = (release: string) => {
    const { settings: base, ...rest } = desiredRelease(release, release, { replicas });
    const members = settings.experiment?.arms.map((name) => ({ name, content: { ...rest.revision, release: `${release}-${name}` } }));
    return {
      ...rest,
      settings: { ...base, rollout: { ...base.rollout, ...settings } },
      ...(members && { arms: { of: release, members } }),
    };
  };
  let state: ServiceState = newService(desired('r-1'), identity, 0);

  const carryOut = (command: Command): void => {
    told.push(command);
    if (command.type === 'start') {
      const port = Number(command.instance.split('-').at(-1));
      const process = { host: '127.0.0.1', port, pid: port, startedAt: '', logFile: '' };
      running.set(command.instance, { status: 'running', health: trouble.starts ? 'passing' : 'unknown', process });
    }
    if (command.type === 'publish') published = command.route;
    if (command.type === 'stop' || command.type === 'forget') running.delete(command.instance);
  };
  /** Steps until nothing more happens at this moment. */
  const settle = (): void => {
    for (let turn = 0; turn < 50; turn += 1) {
      const before = JSON.stringify([state, published]);
      states.push(state);
      const result = strategyFor(state)(state, { instances: new Map(running), published, inFlight: new Map(), ...trouble.extra }, now);
      state = result.state;
      wakeAt = result.wakeAt;
      for (const command of result.commands) carryOut(command);
      if (before === JSON.stringify([state, published])) return;
    }
    throw new Error('it does not come to rest');
  };
  const weights = (): Record<string, number> => {
    const total = published?.backends.reduce((sum, { weight }) => sum + weight, 0) ?? 0;
    return Object.fromEntries((published?.backends ?? []).map(({ release, weight }) => [release, Math.round((100 * weight) / total)]));
  };
  const live = (release: string): number =>
    published?.backends.find((backend) => backend.release === release)?.instances.filter((each) => each.state === 'active').length ?? 0;

  settle();
  return {
    trouble,
    told,
    /** Every state it has been in, those that lasted for several steps more than once. */
    states,
    weights,
    live,
    state: () => state,
    route: () => published,
    /** Milliseconds until it looks again by itself. */
    looksIn: () => (wakeAt === undefined ? undefined : wakeAt - now),
    settle,
    /** Fails the checks of the first so many instances of a release. */
    sicken: (release: string, count: number) => {
      const generations = new Set(state.revisions.filter((revision) => revision.release === release).map(({ generation }) => generation));
      for (const { id } of state.instances.filter(({ generation }) => generations.has(generation)).slice(0, count)) {
        const seen = running.get(id);
        if (seen?.status === 'running') running.set(id, { ...seen, health: 'failing' });
      }
      settle();
    },
    /** Another control plane over what is stored, which has to be told anew what the gateway has; what was asked for before it came is done by it. */
    forget: (change = (stored: ServiceState): ServiceState => stored) => {
      state = JSON.parse(JSON.stringify(change(state))) as ServiceState;
      published = undefined;
      settle();
    },
    replace: (change: (state: ServiceState) => ServiceState) => {
      state = change(state);
      settle();
    },
    /** Declares another way for whatever is under way. */
    redeclare: (release: string, changed: Partial<RolloutSettings>) => {
      const { settings: declared, ...rest } = desired(release);
      const { stages: _, fullSet: __, analysis: ___, ...general } = declared.rollout;
      state = withDesired(state, { ...rest, settings: { ...declared, rollout: { ...general, ...changed } } }, now);
      settle();
    },
    operate: (action: RolloutAction) => {
      state = operated(state, action, 'ada', now);
      settle();
    },
    deploy: (release: string) => {
      state = withDesired(state, desired(release), now);
      settle();
    },
    pass: (milliseconds: number) => {
      now += milliseconds;
      settle();
    },
  };
}
