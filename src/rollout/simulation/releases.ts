import { type Answers, ordinaryAnswers } from './answers.ts';
import type { Behaviour } from './memory-workloads.ts';

interface ModelledRelease {
  readonly behaviour: Behaviour;
  readonly answers: Answers;
}

const modelled = (behaviour: Behaviour, changed: Partial<Answers> = {}): ModelledRelease => ({
  behaviour,
  answers: { ...ordinaryAnswers, ...changed },
});

/** Releases of the modelled world: some work, some do not start, some do what they should not once they are in use. */
export const releases = {
  one: modelled({ readyAfter: 100, stopsAfter: 50 }),
  two: modelled({ readyAfter: 700, stopsAfter: 400 }),
  three: modelled({ readyAfter: 1_200, stopsAfter: 100 }),
  slow: modelled({ readyAfter: 3_000 }),
  silent: modelled({ stopsAfter: 50 }),
  crashing: modelled({ exitsAfter: 80 }),
  ending: modelled({ exitsAfter: 600 }),
  unstartable: modelled({ unstartable: true }),
  /** Serves for a moment, then ends, again and again. */
  dying: modelled({ readyAfter: 300, exitsAfter: 2_000, stopsAfter: 50 }),
  unsound: modelled({ readyAfter: 700, stopsAfter: 50, unsound: 'always' }),
  /** Its smoke check fails every other time. */
  flaky: modelled({ readyAfter: 400, stopsAfter: 50, unsound: 'sometimes' }),
  erring: modelled({ readyAfter: 300, stopsAfter: 50 }, { errorRate: 0.05 }),
  sluggish: modelled({ readyAfter: 300, stopsAfter: 50 }, { medianMs: 2 * ordinaryAnswers.medianMs }),
  shifted: modelled({ readyAfter: 300, stopsAfter: 50 }, { decisions: { answer: 0.4, clarify: 0.2, escalate: 0.4 } }),
} as const satisfies Record<string, ModelledRelease>;

export type ReleaseName = keyof typeof releases;

export const behaviours: Readonly<Record<string, Behaviour>> = of(({ behaviour }) => behaviour);
export const answers: Readonly<Record<string, Answers>> = of((release) => release.answers);

/** Whether a release that has come into use can serve for good. */
export function isWorking(release: string | undefined): boolean {
  return release !== undefined && ['one', 'two', 'three', 'slow', 'unsound', 'flaky', 'erring', 'sluggish', 'shifted'].includes(release);
}

function of<Value>(part: (release: ModelledRelease) => Value): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(releases).map(([name, release]) => [name, part(release)]));
}
