import { z } from 'zod';
import type { Json, JsonObject } from '../digest/json.ts';
import type { FlagFields } from '../stack/kinds/flag.ts';

/** What decides about a flag: its variants, the one served when no rule holds, and the rules in their order. */
export type FlagDefinition = Omit<FlagFields, 'name'>;

const told = { by: z.string(), at: z.string(), reason: z.string().optional() };

/**
 * What an operator has put over the stack's rules. It stays until it is cleared, whatever is applied meanwhile. `kill`: the default to
 * everybody; `serve`: one variant to everybody; `percent`: one variant to a share of users by an attribute, the rules to the others.
 */
const override = z.discriminatedUnion('action', [
  z.object({ action: z.literal('kill'), ...told }),
  z.object({ action: z.literal('serve'), variant: z.string(), ...told }),
  z.object({ action: z.literal('percent'), variant: z.string(), percent: z.number(), attribute: z.string(), ...told }),
]);
export type Override = z.infer<typeof override>;

/** One document of the collection `flags`, keyed `environment/name`. */
export interface FlagRecord {
  readonly id: string;
  readonly environment: string;
  readonly name: string;
  /** Fields as written in the stack that was applied last. */
  readonly declared: JsonObject;
  readonly definition: FlagDefinition;
  readonly override?: Override | undefined;
  readonly createdAt: string;
  /** When what it serves was last changed, by an apply or by an operator. */
  readonly changedAt: string;
}

const object = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null);

/** What is read from the store has been written by this program, perhaps by an older one. */
export const flagRecord = z.object({
  id: z.string(),
  environment: z.string(),
  name: z.string(),
  declared: object,
  definition: z.custom<FlagDefinition>((value) => typeof value === 'object' && value !== null && 'variants' in value && 'rules' in value),
  override: override.optional(),
  createdAt: z.string(),
  changedAt: z.string(),
});

/** One step in the life of a flag; an entry of the log `flag-history/environment/name`. */
export interface FlagChange {
  readonly time: string;
  readonly action: 'applied' | 'removed' | 'set' | 'killed' | 'cleared';
  /** Name of the key; `apply` where nobody asked for what was applied, and in what an older version has recorded. */
  readonly by: string;
  readonly reason?: string | undefined;
  /** What is served from then on, in words: `off to everybody (killed)`. */
  readonly serves: string;
}

/** The default of a definition in words, its override included: what most users are served. */
export function inWords({ definition, override: over }: Pick<FlagRecord, 'definition' | 'override'>): string {
  if (over === undefined) return declaredInWords(definition);
  if (over.action === 'kill') return `${definition.default} to everybody (killed)`;
  if (over.action === 'serve') return `${over.variant} to everybody`;
  return `${over.variant} to ${over.percent} % by ${over.attribute}, ${declaredInWords(definition)} to the others`;
}

function declaredInWords({ default: fallback, rules }: FlagDefinition): string {
  return rules.length === 0 ? fallback : `${rules.length === 1 ? 'one rule' : `${rules.length} rules`}, else ${fallback}`;
}

/** The value of a variant; undefined for one there is not. */
export function valueOf({ variants }: FlagDefinition, variant: string): Json | undefined {
  return Object.hasOwn(variants, variant) ? variants[variant] : undefined;
}
