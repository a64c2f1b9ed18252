import { createUnitCounts, type UnitCounts } from '../../gateway/measuring/unit-counts.ts';
import type { ServiceRoute } from '../../gateway/routing-table.ts';
import type { UnitDraw } from '../../gateway/routing/unit-draw.ts';
import type { Answers, Outcome, Outcomes } from './answers.ts';
import { latencyAt } from './answers.ts';
import type { CountedStratum, Traffic } from '../traffic.ts';

/** What a gateway counts for a rollout: by release and chance, for one evidence id and one life of the gateway. */
export interface CountedTraffic {
  /** A route was published: counts of another rollout, or with other thresholds, begin at zero. */
  adopt(route: ServiceRoute): void;
  /** Requests of one release that were drawn with this chance. */
  count(release: string, chance: number, units: number, outcomes: Outcomes): void;
  /** One request of a user that was sent there by this draw: counted by the gateway's own rules. */
  countUnit(release: string, draw: UnitDraw, unit: number, outcome: Outcome): void;
  /** What one request of a user came to in the experiment that is being made. */
  countSaid(release: string, draw: UnitDraw, unit: number, said: string): void;
  /** Halves of pairs: requests that were copied, or their copies. */
  countCopies(release: string, units: number, outcomes: Outcomes): void;
  /** Units of a release that could have gone elsewhere, of this evidence id, over all lives of the gateway. */
  compared(id: string, release: string): number;
  /** Users that are counted now, each as often as it was drawn anew. */
  units(): number;
  /** Answers of a release, counted whatever is being rolled out. */
  answered(release: string, requests: number): void;
  /** The gateway is started anew: another epoch, and nothing counted. */
  restart(): void;
  readonly thresholdsMs: readonly number[];
  /** What is counted under this id. */
  readonly evidence: (id: string) => Awaited<ReturnType<Traffic['evidence']>>;
  latencies(release: string, quantiles: readonly number[], answers: Answers): readonly number[] | undefined;
}

/** As in the real gateway: of fewer requests no quantile is told. */
const fewestLatencies = 100;

export function createCountedTraffic(): CountedTraffic {
  let epoch = 1;
  let counted: ServiceRoute['evidence'];
  let strata = new Map<string, CountedStratum>();
  let copies = new Map<string, CountedStratum>();
  let answers = new Map<string, number>();
  const compared = new Map<string, number>();
  let units: UnitCounts | undefined;
  let experiment: ServiceRoute['experiment'];
  let said: UnitCounts | undefined;

  const ofUnits = (): readonly CountedStratum[] => units?.counts().strata ?? [];

  /** Counts of users begin anew; what they came to is kept for `compared`. */
  function forgetUnits(): void {
    for (const { release, probability, units: count } of ofUnits()) {
      const key = `${counted?.id}/${release}`;
      if (probability > 0 && probability < 1) compared.set(key, (compared.get(key) ?? 0) + count);
    }
    units = undefined;
  }

  function add(to: Map<string, CountedStratum>, key: string, more: CountedStratum): void {
    const known = to.get(key);
    const categories: Record<string, number> = { ...known?.categories };
    if (counted?.attribute !== undefined) {
      for (const [value, count] of Object.entries(more.categories)) categories[value] = (categories[value] ?? 0) + count;
    }
    to.set(key, {
      ...more,
      units: more.units + (known?.units ?? 0),
      errors: more.errors + (known?.errors ?? 0),
      exceedances: more.exceedances.map((count, index) => count + (known?.exceedances[index] ?? 0)),
      categories,
    });
  }

  return {
    units: () => ofUnits().reduce((sum, stratum) => sum + stratum.units, 0),
    compared: (id, release) => {
      const current = id === counted?.id ? ofUnits() : [];
      const drawn = current.filter((stratum) => stratum.release === release && stratum.probability > 0 && stratum.probability < 1);
      return drawn.reduce((sum, stratum) => sum + stratum.units, compared.get(`${id}/${release}`) ?? 0);
    },
    adopt({ evidence, experiment: made }) {
      if (made?.id !== experiment?.id) said = undefined;
      experiment = made;
      if (JSON.stringify(comparable(evidence)) !== JSON.stringify(comparable(counted))) {
        forgetUnits();
        [strata, copies] = [new Map(), new Map()];
      }
      counted = evidence;
    },
    get thresholdsMs() {
      return counted?.latencyThresholdsMs ?? [];
    },
    count(release, chance, units, { errors, exceedances, categories }) {
      if (!counted || units === 0) return;
      const probability = Math.round(chance * 1e6) / 1e6;
      const key = `${release}\n${probability}`;
      const ofRollout = `${counted.id}/${release}`;
      if (probability > 0 && probability < 1) compared.set(ofRollout, (compared.get(ofRollout) ?? 0) + units);
      add(strata, key, { release, probability, units, errors, exceedances, categories });
    },
    countUnit(release, draw, unit, { isError, milliseconds, category }) {
      if (!counted) return;
      const { id, latencyThresholdsMs: thresholdsMs, attribute } = counted;
      const counts = { environment: '', service: '', id, thresholdsMs, strata: [], lost: { units: 0, chances: 0 } };
      units ??= createUnitCounts(counts);
      const categoryNames = attribute === undefined || category === undefined ? [] : [category];
      const outcomes = [unit, 0, milliseconds, isError ? 1 : 0, categoryNames.length - 1];
      units.add({ counts, outcomes, draws: [{ ...draw, release }], categoryNames });
    },
    countSaid(release, draw, unit, what) {
      if (!experiment) return;
      const lost = { units: 0, chances: 0 };
      const counts = { environment: '', service: '', id: experiment.id, thresholdsMs: [], strata: [], onlyFirst: true as const, lost };
      said ??= createUnitCounts(counts);
      said.add({ counts, outcomes: [unit, 0, 0, 0, 0], draws: [{ ...draw, release }], categoryNames: [what] });
    },
    countCopies(release, units, { errors, exceedances }) {
      if (counted && units > 0) add(copies, release, { release, probability: 0.5, units, errors, exceedances, categories: {} });
    },
    answered: (release, requests) => answers.set(release, (answers.get(release) ?? 0) + requests),
    restart() {
      epoch += 1;
      forgetUnits();
      said = undefined;
      strata = new Map();
      copies = new Map();
      answers = new Map();
    },
    evidence: (id) => {
      if (experiment?.id === id) return { epoch: String(epoch), id, strata: said?.counts().strata ?? [], isComplete: true };
      return (
        counted && {
          epoch: String(epoch),
          id: counted.id,
          strata: [...strata.values(), ...ofUnits()],
          copies: [...copies.values()],
          isComplete: true,
        }
      );
    },
    // The quantiles themselves: a threshold may be any, it only has to be frozen.
    latencies: (release, quantiles, of) =>
      (answers.get(release) ?? 0) < fewestLatencies ? undefined : quantiles.map((quantile) => latencyAt(of, quantile)),
  };
}

/** Of a flag only the chance may be another one: its counts go on. */
function comparable(evidence: ServiceRoute['evidence']): unknown {
  const { byVariant, ...counted } = evidence ?? {};
  return evidence && { ...counted, ...(byVariant && { byVariant: [byVariant.attribute, byVariant.variant] }) };
}
