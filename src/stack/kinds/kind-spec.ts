import type { z } from 'zod';
import type { JsonObject } from '../../digest/json.ts';
import type { Problem } from '../../errors/sluice-error.ts';
import type { Kind, ResolvedBlock } from '../stack.ts';

/** What an interpolation may read of a resource once it exists. */
interface OutputSpec {
  readonly description: string;
  readonly secret: boolean;
}

/** Everything the language knows of one kind. Validation, JSON Schema, reference documentation and field types all come from here. */
export interface KindSpec<Schema extends z.ZodType = z.ZodType> {
  readonly kind: Kind;
  /** One sentence for people who have not met the kind. */
  readonly summary: string;
  /** A strict object; every field described. Its output is what ResolvedBlock.fields holds. */
  readonly schema: Schema;
  readonly outputs: Readonly<Record<string, OutputSpec>>;
  /** A valid block as YAML, shown in the documentation and held to the schema by a test. */
  readonly example: string;
  /**
   * Fields in which numbers and booleans are kept as they were written (`1.10` stays `1.10`), because they end up as text: paths with dots,
   * in which `*` is any key.
   */
  readonly verbatim?: readonly string[];
  /** Fields that people look for here and that are refused: why, and what to do instead. */
  readonly refused?: Readonly<Record<string, string>>;
  /** Whether a resource with these fields holds what cannot be made again: it is not removed or replaced unless that is asked for by name. */
  readonly stateful?: (fields: JsonObject) => boolean;
  /** What only the whole stack can tell. Called once with the blocks of the kind that the schema accepts. */
  readonly check?: (blocks: readonly ResolvedBlock[], context: CheckContext) => readonly Problem[];
}

export interface CheckContext {
  /** The accepted blocks of a kind in the same environment. */
  blocksOf(kind: Kind): readonly ResolvedBlock[];
}

/** Keeps the type of one kind's schema. */
export function defineKind<Schema extends z.ZodType>(spec: KindSpec<Schema>): KindSpec<Schema> {
  return spec;
}
