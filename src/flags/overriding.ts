import { sluiceError } from '../errors/sluice-error.ts';
import { type FlagRecord, type Override, valueOf } from './flag.ts';

export interface OverrideRequest {
  readonly variant: string;
  /** From 0 to 100; everybody when absent. */
  readonly percent?: number | undefined;
  /** What users are told apart by; `user` when absent. */
  readonly attribute?: string | undefined;
}

/** Who changes a flag, when and why. */
export interface Hand {
  readonly by: string;
  readonly at: string;
  readonly reason?: string | undefined;
}

/** Pure: the flag with an override. Throws `unknown_variant`. */
export function overridden(record: FlagRecord, { variant, percent, attribute = 'user' }: OverrideRequest, hand: Hand): FlagRecord {
  if (valueOf(record.definition, variant) === undefined) {
    throw sluiceError('unknown_variant', { flag: record.name, variant, known: Object.keys(record.definition.variants) });
  }
  const override: Override =
    percent === undefined ? { action: 'serve', variant, ...told(hand) } : { action: 'percent', variant, percent, attribute, ...told(hand) };
  return { ...record, override, changedAt: hand.at };
}

export function killed(record: FlagRecord, hand: Hand): FlagRecord {
  return { ...record, override: { action: 'kill', ...told(hand) }, changedAt: hand.at };
}

/** What the stack says again. */
export function cleared(record: FlagRecord, { at }: Hand): FlagRecord {
  return { ...record, override: undefined, changedAt: at };
}

/** The variant of an override that a definition no longer has. */
export function orphaned(override: Override | undefined, variants: Readonly<Record<string, unknown>>): string | undefined {
  if (override === undefined || override.action === 'kill') return undefined;
  return Object.hasOwn(variants, override.variant) ? undefined : override.variant;
}

function told({ by, at, reason }: Hand): Hand {
  return { by, at, ...(reason !== undefined && { reason }) };
}
