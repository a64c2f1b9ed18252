import type { Json } from '../../digest/json.ts';
import type { SourcePosition } from '../../errors/sluice-error.ts';

/** What a rule can look for in a plan; `none` are resources that stay as they are. */
export const policyActions = ['create', 'adopt', 'update', 'move', 'replace', 'delete', 'none'] as const;
type PolicyAction = (typeof policyActions)[number];

/** One rule on plans. It speaks about a change that fits `match` and of which every condition of `when` holds. */
export interface PolicyRule {
  readonly name: string;
  /** `deny` refuses the plan, `warn` shows the message with it. */
  readonly effect: 'deny' | 'warn';
  readonly message: string;
  readonly match: PolicyMatch;
  readonly when: readonly PolicyCondition[];
  readonly position: SourcePosition;
}

/** Absent means any; of a list one has to fit. Texts are globs: `*` stands for any characters. */
export interface PolicyMatch {
  readonly kind?: readonly string[];
  readonly name?: readonly string[];
  readonly environment?: readonly string[];
  /** Without it everything but deletions. */
  readonly action?: readonly PolicyAction[];
  readonly risk?: readonly ('low' | 'medium' | 'high')[];
  readonly downtime?: boolean;
}

/** A dotted path, `*` for any key or index (then one value has to satisfy), and exactly one of the comparisons. */
export interface PolicyCondition {
  readonly field: string;
  readonly equals?: Json;
  readonly not?: Json;
  readonly in?: readonly Json[];
  readonly not_in?: readonly Json[];
  readonly below?: number;
  readonly above?: number;
  readonly like?: string;
  readonly unlike?: string;
  readonly exists?: boolean;
}

export const comparisons = ['equals', 'not', 'in', 'not_in', 'below', 'above', 'like', 'unlike', 'exists'] as const;
