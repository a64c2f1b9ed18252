import { type Random, seededRandom } from '../../effects/random.ts';
import { createVariantDraw, keyedUnit } from '../../gateway/measuring/variant-draw.ts';
import { pointCount } from '../../gateway/routing/split-ranges.ts';
import type { BackendRoute, ServiceRoute } from '../../gateway/routing-table.ts';
import { binomial } from '../evidence/traffic-model.ts';
import type { Traffic } from '../traffic.ts';
import { type Answers, drawOutcome, drawOutcomes, ordinaryAnswers } from './answers.ts';
import { cohortsOf, type Cohorts, pointsOf } from './cohorts.ts';
import { type CountedTraffic, createCountedTraffic } from './counted-traffic.ts';

type Service = { readonly environment: string; readonly name: string };

export interface MemoryTraffic extends Traffic {
  route(service: Service): ServiceRoute | undefined;
  /** Begins a request on the instance with the least work; undefined when none may get it. */
  accept(service: Service): { readonly instance: string; end(): void } | undefined;
  inFlightOf(instance: string): number;
  /** The process of an instance ends, with all requests it has. */
  lose(instance: string): void;
  /** So many requests come and are answered within this moment: drawn by weight, by user where there is affinity, and counted. */
  serve(service: Service, requests: number): void;
  /** What came of all that was served by a release so far. */
  servedBy(service: Service, release: string): Served;
  /** Requests that were drawn to a release and could have gone elsewhere, counted for the rollout of this evidence id. */
  compared(service: Service, evidence: string, release: string): number;
  /** The gateway ends and is started anew: it counts from zero. */
  restart(): void;
  /** The gateway ends, with all it has under way. */
  end(): void;
  /** Another one serves by the routes there are. */
  begin(): void;
}

interface Served {
  readonly requests: number;
  readonly errors: number;
  /** Users with at least one of these requests. */
  readonly users: number;
}

export interface ModelledTraffic {
  readonly random: Random;
  /** By the name in the route: fresh instances of stable have one of their own. */
  readonly answersOf: (release: string) => Answers;
  /** Whether an instance can answer. */
  readonly isUp: (instance: string) => boolean;
  /** People the requests come from, all equally often. */
  readonly users: number;
  /** The share of them that is served the variant of a flag at the moment, and how the others' answers become its. */
  readonly variant?: () => ServedVariant;
}

export interface ServedVariant {
  readonly share: number;
  /** Of the variant. */
  readonly name: string;
  readonly answers: (of: Answers) => Answers;
  /** Whether answers to a user who is served it say so. */
  readonly isNamed: (user: number) => boolean;
  /** Told under which name, with which chance and of how many users so far outcomes are counted. */
  readonly counted: (id: string, probability: number, units: number) => void;
}

const unmodelled: ModelledTraffic = {
  random: seededRandom(1),
  answersOf: () => ordinaryAnswers,
  isUp: () => true,
  users: 1_000,
};

/** Share of all users whose matter is resolved, whichever release answers: what experiments compare. */
const resolved = 0.3;

interface Tallied {
  requests: number;
  errors: number;
  users: number;
  /** By number of the user. */
  readonly seen: Uint8Array;
}

/** A data plane of numbers: requests are drawn and counted as the gateway does, and nothing is sent. For simulations. */
export function createMemoryTraffic(model: ModelledTraffic = unmodelled): MemoryTraffic {
  const { random, answersOf, isUp, users, variant } = model;
  const routes = new Map<string, ServiceRoute>();
  const working = new Map<string, Set<symbol>>();
  const counts = new Map<string, CountedTraffic>();
  const cohorts = new Map<string, Cohorts>();
  const served = new Map<string, Tallied>();
  const inFlightOf = (instance: string): number => working.get(instance)?.size ?? 0;
  let isDown = false;
  /** Where a flag has each user. */
  let flagPoints: Float64Array | undefined;

  const countsOf = (service: Service): CountedTraffic => entry(counts, keyOf(service), createCountedTraffic);
  const servedOf = (service: Service, release: string): Tallied =>
    entry(served, `${keyOf(service)}/${release}`, () => ({ requests: 0, errors: 0, users: 0, seen: new Uint8Array(users) }));

  /** Some requests are sent to the candidate too, which nobody sees: either half of a pair is counted. */
  function copy(service: Service, { mirror }: ServiceRoute, answered: string, requests: number, able: readonly BackendRoute[]): void {
    if (!mirror || mirror.release === answered || !able.some(({ release }) => release === mirror.release)) return;
    const pairs = binomial(random, requests, mirror.percent / 100);
    const counted = countsOf(service);
    for (const release of [answered, mirror.release]) {
      counted.countCopies(release, pairs, drawOutcomes(random, answersOf(release), pairs, counted.thresholdsMs));
    }
  }

  /** Requests of a moment that went to one release with one chance. */
  function count(service: Service, release: string, chance: number, requests: number): void {
    const counted = countsOf(service);
    counted.answered(release, requests);
    const outcomes = drawOutcomes(random, answersOf(release), requests, counted.thresholdsMs);
    if (routes.get(keyOf(service))?.evidence?.byVariant) countVariant(service, release, anyone(requests));
    else counted.count(release, chance, requests, outcomes);
    const tally = servedOf(service, release);
    tally.requests += requests;
    tally.errors += outcomes.errors;
  }

  const anyone = (requests: number): readonly number[] => Array.from({ length: requests }, () => Math.floor(random.next() * users));

  /** Whichever release answers these users, what a flag drew for each, and for whom, stands in the answer; counted by the gateway's own rules. */
  function countVariant(service: Service, release: string, who: readonly number[]): void {
    const { id = '', byVariant } = routes.get(keyOf(service))?.evidence ?? {};
    const served = variant?.();
    if (byVariant?.probability === undefined || served === undefined) return;
    flagPoints ??= pointsOf(users, 'flag');
    const counted = countsOf(service);
    const drawnOf = createVariantDraw(byVariant);
    for (const user of who) {
      const isServed = (flagPoints[user] ?? 0) < served.share * pointCount;
      // Whose answer does not say what was drawn counts for nothing.
      if (isServed && !served.isNamed(user)) continue;
      const header = `${byVariant.attribute}=${isServed ? served.name : 'off'}, flag-key=user-${user}`;
      const [drawn, unit] = [drawnOf(header), keyedUnit(header)];
      const answers = answersOf(release);
      const outcome = drawOutcome(random, isServed ? served.answers(answers) : answers);
      if (drawn && unit !== undefined) counted.countUnit(drawn.side, drawn.draw, unit, outcome);
    }
    served.counted(id, byVariant.probability, counted.units());
  }

  function serveOneByOne(service: Service, route: ServiceRoute, backends: readonly BackendRoute[], requests: number): void {
    const known = entry(cohorts, keyOf(service), () => cohortsOf(users));
    const counted = countsOf(service);
    const { draw, users: drawn } = known.draw(route, { requests, random });
    for (const [index, who] of drawn.entries()) {
      const backend = route.backends[index];
      if (!backend || who.length === 0) continue;
      // Nobody there who could answer: another release does, and it counts for none.
      if (!backends.includes(backend)) continue;
      const { release } = backend;
      const tally = servedOf(service, release);
      const answers = answersOf(release);
      for (const user of who) {
        if (tally.seen[user] === 0) tally.users += 1;
        tally.seen[user] = 1;
        const outcome = drawOutcome(random, answers);
        if (outcome.isError) tally.errors += 1;
        if (!route.evidence?.byVariant) counted.countUnit(release, draw, known.unitOf(user), outcome);
        if (route.experiment) counted.countSaid(release, draw, known.unitOf(user), random.next() < resolved ? 'resolved' : 'open');
      }
      tally.requests += who.length;
      counted.answered(release, who.length);
      if (route.evidence?.byVariant) countVariant(service, release, who);
      copy(service, route, release, who.length, backends);
    }
  }

  function serveTogether(service: Service, route: ServiceRoute, backends: readonly BackendRoute[], requests: number): void {
    let [left, mass] = [requests, route.backends.reduce((sum, { weight }) => sum + weight, 0)];
    for (const backend of route.backends) {
      const mine = binomial(random, left, mass <= 0 ? 0 : Math.min(1, backend.weight / mass));
      left -= mine;
      mass -= backend.weight;
      if (mine === 0 || !backends.includes(backend)) continue;
      const tally = servedOf(service, backend.release);
      for (let request = 0; request < mine; request += 1) if (random.next() * users >= tally.users) tally.users += 1;
      count(service, backend.release, chanceOf(route, backend), mine);
      copy(service, route, backend.release, mine, backends);
    }
  }

  return {
    inFlightOf,
    route: (service) => routes.get(keyOf(service)),
    accept(service) {
      if (isDown) return undefined;
      const backends = routes.get(keyOf(service))?.backends.filter(({ weight }) => weight > 0) ?? [];
      const active = backends.flatMap(({ instances }) => instances.filter(({ state }) => state === 'active'));
      const [chosen] = active.toSorted((left, right) => inFlightOf(left.id) - inFlightOf(right.id));
      if (!chosen) return undefined;
      const request = Symbol(chosen.id);
      const mine = entry(working, chosen.id, () => new Set());
      // Where nobody listens it fails at once.
      if (isUp(chosen.id)) mine.add(request);
      return { instance: chosen.id, end: () => void mine.delete(request) };
    },
    lose: (instance) => void working.delete(instance),
    serve(service, requests) {
      const route = routes.get(keyOf(service));
      if (!route || requests <= 0 || isDown) return;
      const able = route.backends.filter(({ instances }) => instances.some(({ id, state }) => state === 'active' && isUp(id)));
      const draw = route.split?.affinity ? serveOneByOne : serveTogether;
      draw(service, route, able, requests);
    },
    compared: (service, evidence, release) => countsOf(service).compared(evidence, release),
    servedBy: (service, release) => servedOf(service, release),
    restart() {
      for (const counted of counts.values()) counted.restart();
    },
    end() {
      isDown = true;
      working.clear();
      for (const counted of counts.values()) counted.restart();
    },
    begin() {
      isDown = false;
    },
    async publish(route) {
      routes.set(keyOf(route), structuredClone(route));
      countsOf(route).adopt(route);
    },
    async remove(service) {
      routes.delete(keyOf(service));
      counts.delete(keyOf(service));
    },
    async inFlight(service) {
      const instances = routes.get(keyOf(service))?.backends.flatMap((backend) => backend.instances) ?? [];
      return new Map(instances.map(({ id }) => [id, inFlightOf(id)]));
    },
    evidence: async (service, id) => counts.get(keyOf(service))?.evidence(id),
    latencies: async (service, release, quantiles) => counts.get(keyOf(service))?.latencies(release, quantiles, answersOf(release)),
    ask: async (service, { host, headers }) => {
      const { expose = [], backends = [], split } = routes.get(keyOf(service)) ?? {};
      const wanted = expose.find((each) => each.host === host)?.release ?? headers[split?.overrideHeader ?? ''];
      const found = backends.find(({ release }) => release === wanted);
      const isThere = found?.instances.some(({ id, state }) => state === 'active' && isUp(id)) === true;
      return isThere ? { ready: true } : { ready: false, reason: 'no instance of the release answers' };
    },
    publicUrl: async () => 'http://127.0.0.1:7080',
    internalUrl: async () => 'http://127.0.0.1:7081',
  };
}

/** Of what is compared among itself, the chance of the draw among these alone. */
function chanceOf({ backends, evidence }: ServiceRoute, { release, weight }: BackendRoute): number {
  const compared = evidence?.compared?.includes(release) === true ? evidence.compared : undefined;
  const among = backends.filter((backend) => compared === undefined || compared.includes(backend.release));
  return weight / among.reduce((sum, backend) => sum + backend.weight, 0);
}

function keyOf({ environment, name }: Service): string {
  return `${environment}/${name}`;
}

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = make();
  map.set(key, value);
  return value;
}
