import { describe, expect, it } from 'vitest';
import type { ServiceRoute } from '../gateway/routing-table.ts';
import { newService, restarted, withDesired } from './desired-state.ts';
import { rolling } from './rolling.ts';
import { routeOf } from './service-route.ts';
import type { ServiceState } from './service-state.ts';
import { desiredRelease } from './simulation/desired-release.ts';
import type { Command, Observation, ObservedInstance } from './strategy.ts';

const identity = { uid: 'a1', token: { sealed: 'sealed', digest: 'digest' } };

function running(port: number, health: 'passing' | 'unknown' | 'failing' = 'passing'): ObservedInstance {
  return { status: 'running', health, process: { host: '127.0.0.1', port, pid: port, startedAt: '', logFile: '' } };
}

/** One step with everything as given; what is not mentioned is absent. */
function step(state: ServiceState, seen: Readonly<Record<string, ObservedInstance>>, extra: Partial<Observation> & { now?: number } = {}) {
  const instances = new Map(Object.entries(seen).map(([id, observed]) => [`agent-a1-${id}`, observed]));
  const { now = 1_000, ...rest } = extra;
  return rolling(state, { instances, published: undefined, inFlight: new Map(), ...rest }, now);
}

function phases(state: ServiceState): Record<string, string> {
  return Object.fromEntries(state.instances.map(({ id, phase }) => [id.replace('agent-a1-', ''), phase]));
}

function ofType<Type extends Command['type']>(commands: readonly Command[], type: Type): Extract<Command, { type: Type }>[] {
  return commands.filter((command): command is Extract<Command, { type: Type }> => command.type === type);
}

/** Two stable instances, ready and published. */
function settled(extra: Parameters<typeof desiredRelease>[2] = {}): {
  state: ServiceState;
  published: ServiceRoute;
} {
  const fresh = newService(desiredRelease('r-1', 'one', extra), identity, 0);
  const started = step(fresh, {}, { now: 0 }).state;
  const ready = step(started, { 1: running(1), 2: running(2) }, { now: 0 }).state;
  const published = routeOf(ready);
  return { state: step(ready, { 1: running(1), 2: running(2) }, { published, now: 0 }).state, published };
}

describe('a first deployment', () => {
  it('starts every instance, publishes them once they are ready, and is stable once the gateway has them', () => {
    const first = step(newService(desiredRelease('r-1', 'one'), identity, 0), {});
    expect(ofType(first.commands, 'start').map(({ instance }) => instance)).toEqual(['agent-a1-1', 'agent-a1-2']);
    const half = step(first.state, { 1: running(1), 2: running(2, 'unknown') });
    expect([phases(half.state), ofType(half.commands, 'publish')[0]?.route.backends]).toMatchObject([
      { 1: 'ready', 2: 'starting' },
      [{ release: 'r-1', weight: 1 }],
    ]);
    const whole = step(half.state, { 1: running(1), 2: running(2) });
    expect([whole.state.stable, whole.state.candidate?.generation]).toEqual([undefined, 1]);
    const done = step(whole.state, { 1: running(1), 2: running(2) }, { published: routeOf(whole.state) });
    expect([done.state.stable, done.state.candidate]).toEqual([1, undefined]);
  });

  it('that fails leaves nothing running and says why', () => {
    let { state } = step(newService(desiredRelease('r-1', 'one', { replicas: 1 }), identity, 0), {});
    for (let exit = 1, now = 1_000; exit <= 3; exit += 1, now += 60_000) {
      state = step(state, { 1: { status: 'ended', reason: 'ended with exit code 7' } }, { now }).state;
      state = step(state, {}, { now: now + 31_000 }).state;
    }
    expect(state).toMatchObject({ failure: { release: 'r-1', instance: 'agent-a1-1' }, instances: [] });
    expect(state.failure?.reason).toContain('exit code 7');
  });
});

describe('a replacement', () => {
  it('takes no old instance away before a new one is ready and the gateway knows it', () => {
    const { state: stable, published } = settled();
    const next = withDesired(stable, desiredRelease('r-2', 'two'), 0);
    const old = { 1: running(1), 2: running(2) };
    const surged = step(next, old, { published });
    expect(phases(surged.state)).toEqual({ 1: 'ready', 2: 'ready', 3: 'starting' });
    const ready = step(surged.state, { ...old, 3: running(3) }, { published });
    expect(phases(ready.state)).toEqual({ 1: 'ready', 2: 'ready', 3: 'ready' });
    const known = step(ready.state, { ...old, 3: running(3) }, { published: routeOf(ready.state) });
    expect(Object.values(phases(known.state)).toSorted()).toEqual(['draining', 'ready', 'ready']);
  });

  it('goes on without more instances than declared where some may be missing', () => {
    const { state: stable, published } = settled({ maxSurge: '0%', maxUnavailable: '50%' });
    const next = withDesired(stable, desiredRelease('r-2', 'two', { maxSurge: '0%', maxUnavailable: '50%' }), 0);
    const { state } = step(next, { 1: running(1), 2: running(2) }, { published });
    expect(Object.values(phases(state)).toSorted()).toEqual(['draining', 'ready']);
    expect(phases(step(state, { 1: running(1), 2: running(2) }, { published }).state)).toMatchObject({ 3: 'starting' });
  });

  it('that makes no progress is given up: the stable instances were never touched', () => {
    const { state: stable, published } = settled();
    const next = withDesired(stable, desiredRelease('r-2', 'two'), 1_000);
    const seen = { 1: running(1), 2: running(2), 3: running(3, 'unknown') };
    const surged = step(step(next, seen, { published }).state, seen, { published });
    const failed = step(surged.state, seen, { published, now: 9_500 });
    expect(phases(failed.state)).toEqual({ 1: 'ready', 2: 'ready', 3: 'stopping' });
    expect(failed.state).toMatchObject({ stable: 1, failure: { generation: 2, reason: expect.stringContaining('no progress') } });
  });

  it('that is overtaken by a return to what is stable starts nothing new', () => {
    const { state: stable, published } = settled();
    const old = { 1: running(1), 2: running(2) };
    const surged = step(withDesired(stable, desiredRelease('r-2', 'two'), 0), old, { published }).state;
    const back = step(withDesired(surged, desiredRelease('r-1', 'three'), 0), old, { published });
    expect([phases(back.state), back.state.candidate]).toEqual([{ 1: 'ready', 2: 'ready', 3: 'stopping' }, undefined]);
  });

  it('does not take place for a new version label alone', () => {
    const { state: stable } = settled();
    const desired = desiredRelease('r-1', 'two');
    const relabelled = withDesired(stable, { ...desired, revision: { ...desired.revision, version: '2.0.0' } }, 0);
    expect([relabelled.candidate, relabelled.revisions.map(({ version }) => version)]).toEqual([undefined, ['2.0.0']]);
  });

  it('retires nobody while it is not known whom the gateway sends requests to', () => {
    const { state: stable } = settled();
    const next = restarted(stable, 0) as ServiceState;
    const seen = { 1: running(1), 2: running(2), 3: running(3) };
    const { state } = step(step(next, seen).state, seen);
    expect(phases(state)).toEqual({ 1: 'ready', 2: 'ready', 3: 'ready' });
  });
});

/** Two instances of which one is to go. */
function draining() {
  const { state: two, published } = settled();
  const seen = { 1: running(1), 2: running(2) };
  const { state } = step({ ...two, replicas: 1 }, seen, { published });
  const id = state.instances.find(({ phase }) => phase === 'draining')?.id ?? '';
  return { state, seen, published, id };
}

describe('a draining instance', () => {
  it('is not stopped while the gateway may still send it something, nor while it works, nor beyond its deadline', () => {
    const { state, seen, published, id } = draining();
    const before = step(state, seen, { published });
    expect(before.state.instances.find((instance) => instance.id === id)).toMatchObject({ phase: 'draining' });
    const working = { published: routeOf(state), inFlight: new Map([[id, 1]]) };
    const during = step(state, seen, working);
    expect(during.state.instances.find((instance) => instance.id === id)).toMatchObject({ phase: 'draining', drainUntil: 3_000 });
    const unknown = step(during.state, seen, { ...working, inFlight: undefined });
    expect(ofType(unknown.commands, 'stop')).toEqual([]);
    expect(ofType(step(during.state, seen, { ...working, inFlight: new Map() }).commands, 'stop')).toHaveLength(1);
    expect(ofType(step(during.state, seen, { ...working, now: 3_000 }).commands, 'stop')).toMatchObject([{ instance: id }]);
  });

  it('leaves the route and the record once it has stopped', () => {
    const { state, seen, id } = draining();
    const stopping = step(state, seen, { published: routeOf(state) }).state;
    const { [id.replace('agent-a1-', '')]: _, ...others } = seen as Record<string, ObservedInstance>;
    const gone = { ...others, [id.replace('agent-a1-', '')]: { status: 'ended', reason: 'was ended by SIGTERM' } as const };
    const stopped = step(stopping, gone, { published: routeOf(state) });
    expect(ofType(stopped.commands, 'forget')).toEqual([{ type: 'forget', instance: id }]);
    expect(ofType(stopped.commands, 'publish')[0]?.route.backends).toMatchObject([{ weight: 1, instances: [{ state: 'active' }] }]);
    expect(step(stopped.state, others, { published: routeOf(stopped.state) }).state.instances).toHaveLength(1);
  });
});
