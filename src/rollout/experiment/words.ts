import { type Interval, unbounded } from '../evidence/confidence.ts';
import type { ArmFinding, ExperimentFinding, Rate } from '../evidence/experiment.ts';
import type { ExperimentSettings } from './experiment-state.ts';

/** One line an arm, then what follows: `warm 66.2 % resolved of 1,204 users, 1.04x to 1.2x of control (99.2%, always valid)`. */
export function findingInWords({ arms, control, level, because }: ExperimentFinding, settings: ExperimentSettings): readonly string[] {
  return [...arms.map((arm) => lineOfArm(arm, level, settings)), `control ${rateInWords(control, settings.metric.value)}`, because];
}

export function lineOfArm(arm: ArmFinding, level: number, { metric }: ExperimentSettings): string {
  return `${arm.arm} ${rateInWords(arm, metric.value)}, ${besideControl(arm.interval)} (${levelInWords(level)})`;
}

/** `66.2 % resolved of 1,204 users`. */
export function rateInWords({ units, events }: Rate, value: string): string {
  const share = units === 0 ? 'nothing known of' : `${((100 * events) / units).toFixed(1)} % ${value} of`;
  return `${share} ${units.toLocaleString('en-US')} user${units === 1 ? '' : 's'}`;
}

/** `1.04x to 1.2x of control`. */
function besideControl({ low, high }: Interval): string {
  if (low === 0 && high === unbounded) return 'unknown beside control';
  if (low === 0) return `at most ${times(high)} of control`;
  if (high === unbounded) return `at least ${times(low)} of control`;
  return `${times(low)} to ${times(high)} of control`;
}

/** What the ends of its interval are known with. */
function levelInWords(level: number): string {
  return `${Number((100 * level).toFixed(1))}%, always valid`;
}

function times(ratio: number): string {
  return `${ratio >= 10 ? Math.round(ratio) : Number(ratio.toPrecision(3))}x`;
}
