import type { ExperimentFinding, OutcomeCounts } from '../evidence/experiment.ts';
import type { KeptEvidence } from '../kept-evidence.ts';

/** What an arm is called that is the candidate as it stands. */
export const plainArm = 'candidate';

/** A declared experiment. What its arms are made of is beside it: see `ServiceState.arms`. */
export interface ExperimentSettings {
  readonly metric: { readonly attribute: string; readonly value: string; readonly goal: 'more' | 'fewer' };
  /** Names of the arms beside the plain candidate, in order. */
  readonly arms: readonly string[];
  /** Percentage of new requests for all arms together, the plain one included. */
  readonly share: number;
  readonly forMs: number;
  /** Users with an outcome that each arm and control must have before anything is concluded. */
  readonly minUnits: number;
  readonly alpha: number;
  readonly onWinner: 'hold' | 'promote';
}

/** An experiment that has begun. Durable: a controller that was killed goes on from it. */
export interface ExperimentCourse {
  /** The plain candidate first. */
  readonly arms: readonly ArmCourse[];
  readonly outcomes?: CountedOutcomes;
  /** How it ended. */
  readonly finding?: ExperimentFinding & { readonly at: number };
  /** The arm that goes on; the others have gone. */
  readonly promoted?: string;
}

export interface ArmCourse {
  readonly name: string;
  readonly generation: number;
  readonly release: string;
  /** Percentage of new requests that is asked of the gateway now. */
  readonly weight: number;
  /** Safety beside stable; of the plain candidate it is the course's own. */
  readonly evidence?: KeptEvidence;
  /** Why it was taken out of the experiment: its users are control's. */
  readonly withdrawn?: { readonly reason: string; readonly at: number; readonly instance?: string };
}

export interface CountedOutcomes {
  /** Of earlier lives of the gateway. */
  readonly before: OutcomeCounts;
  readonly epoch: string;
  readonly current: OutcomeCounts;
  /** Whether they are all there are. */
  readonly isComplete: boolean;
}
