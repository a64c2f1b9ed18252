import type { Random } from '../../../effects/random.ts';
import type { BackendRoute } from '../../routing-table.ts';
import { type SoakInstance, startInstance } from './instances.ts';

/** The instances of a service whose releases change all the time. */
export interface Fleet {
  /** As the next table is to say it. */
  backends(): BackendRoute[];
  /** Does one thing a rollout or a scaler does. */
  change(): Promise<string>;
  /** Called with every table that is in force, and what the gateway says is in flight by instance. */
  settled(inFlightOf: (id: string) => number | undefined): Promise<void>;
  /** Everything any instance was sent after it must not be. */
  late(): readonly string[];
  started(): number;
  close(): Promise<void>;
}

interface Member {
  readonly instance: SoakInstance;
  state: 'new' | 'active' | 'draining' | 'drained';
}

const releases = ['r1', 'r2', 'r3'] as const;
const mostPerRelease = 3;

export async function createFleet(random: Random): Promise<Fleet> {
  const members = new Map<string, Member[]>();
  const weights = new Map<string, number>();
  const late: string[] = [];
  let started = 0;
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random.next() * values.length)] as Value;
  const start = async (release: string): Promise<void> => {
    started += 1;
    const member: Member = { instance: await startInstance(`i${started}`), state: 'new' };
    members.set(release, [...(members.get(release) ?? []), member]);
  };
  const of = (release: string, ...states: readonly Member['state'][]): readonly Member[] =>
    (members.get(release) ?? []).filter(({ state }) => states.includes(state));
  for (const release of releases) {
    await start(release);
    weights.set(release, 1);
  }
  const everyone = (): readonly Member[] => [...members.values()].flat();

  return {
    backends: () =>
      releases.map((release) => ({
        release,
        weight: weights.get(release) ?? 0,
        instances: (members.get(release) ?? []).map(({ instance, state }) => ({
          id: instance.id,
          host: '127.0.0.1',
          port: instance.port,
          state: state === 'draining' || state === 'drained' ? ('draining' as const) : ('active' as const),
        })),
      })),
    change: async () => {
      const release = pick(releases);
      const what = random.next();
      if (what < 0.5) {
        weights.set(release, random.next() < 0.3 ? 0 : Math.ceil(random.next() * 100));
        if ([...weights.values()].every((weight) => weight === 0)) weights.set(release, 1);
        return `weight of ${release}`;
      }
      if (what < 0.75 && of(release, 'new', 'active').length < mostPerRelease) {
        await start(release);
        return `an instance of ${release} more`;
      }
      const active = of(release, 'active');
      if (active.length < 2) return 'a table with nothing new';
      pick(active).state = 'draining';
      return `an instance of ${release} less`;
    },
    settled: async (inFlightOf) => {
      for (const member of everyone()) {
        if (member.state === 'new') member.state = 'active';
        else if (member.state === 'draining') {
          member.state = 'drained';
          member.instance.retire();
        }
      }
      const idle = everyone().filter(({ state, instance }) => state === 'drained' && (inFlightOf(instance.id) ?? 0) === 0);
      for (const [release, own] of members)
        members.set(
          release,
          own.filter((member) => !idle.includes(member)),
        );
      late.push(...idle.flatMap(({ instance }) => instance.late.map((request) => `${instance.id} ${request}`)));
      await Promise.all(idle.map(({ instance }) => instance.close()));
    },
    late: () => [...late, ...everyone().flatMap(({ instance }) => instance.late.map((request) => `${instance.id} ${request}`))],
    started: () => started,
    close: async () => {
      await Promise.all(everyone().map(({ instance }) => instance.close()));
    },
  };
}
