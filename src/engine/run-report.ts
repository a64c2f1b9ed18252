import type { SluiceError } from '../errors/sluice-error.ts';
import type { Action, Plan } from '../plan/plan.ts';
import type { Address, Kind } from '../stack/stack.ts';

/** What one apply or destroy came to. Holds no secret and no function: it can be stored, sent and shown. */
export interface RunReport {
  readonly run: string;
  readonly environment: string;
  readonly mode: Plan['mode'];
  /** `cancelled` when a cancellation left changes undone; a failure beside it counts as `failed`. */
  readonly status: 'succeeded' | 'failed' | 'cancelled';
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly durationMs: number;
  /** One per change of the plan that was not `none`, and per unchanged resource that had to follow a dependency, as they ended. */
  readonly results: readonly ChangeResult[];
}

export interface ChangeResult {
  readonly address: Address;
  readonly kind: Kind;
  readonly name: string;
  readonly action: Action;
  readonly status: 'done' | 'failed' | 'skipped';
  readonly durationMs: number;
  /** Why it failed or was skipped. */
  readonly error?: ReportedError;
}

export interface ReportedError {
  readonly code: SluiceError['code'];
  readonly message: string;
  readonly help: string;
}

export function reportError({ code, message, help }: SluiceError): ReportedError {
  return { code, message, help };
}
