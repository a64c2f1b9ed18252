import type { EvaluationContext } from '@openfeature/core';
import { FeatureFlag, type Flag } from '@openfeature/flagd-core';
import type { Json, JsonObject } from '../digest/json.ts';
import { type CompiledFlag, compile, type FlagdDefinition, isUser } from './compile.ts';
import type { FlagRecord } from './flag.ts';

/** `default`: no rule held; `static`: there is none; `disabled`: it was killed. */
export type EvaluationReason = 'static' | 'targeting_match' | 'split' | 'default' | 'disabled';

export type Evaluation =
  | {
      readonly ok: true;
      readonly key: string;
      readonly value: Json;
      readonly variant: string;
      readonly reason: EvaluationReason;
      /** What decided: `killed`, `override`, `default`, or the number of a rule from 1. */
      readonly matched: string;
    }
  | { readonly ok: false; readonly key: string; readonly errorCode: EvaluationErrorCode; readonly errorDetails: string };

type EvaluationErrorCode = 'TARGETING_KEY_MISSING' | 'INVALID_CONTEXT' | 'GENERAL';

export interface EvaluableFlag {
  readonly name: string;
  readonly compiled: CompiledFlag;
  /** Never throws. The context has been read by `readContext`. The same outcome is the same object, for whomever. */
  evaluate(context: JsonObject): Evaluation;
}

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A flag ready to be evaluated by flagd-core, which interprets its rules: no code is made from them. */
export function evaluable({ name, definition, override }: Pick<FlagRecord, 'name' | 'definition' | 'override'>): EvaluableFlag {
  const compiled = compile(definition, override);
  const serving = featureFlag(name, compiled.serving);
  const matching = featureFlag(name, compiled.matching);
  /** As many as there are branches and variants. */
  const outcomes = new Map<string, Evaluation>();

  const evaluate = (given: JsonObject): Evaluation => {
    const context = bare(given);
    const { variant: matched } = matching.evaluate(context);
    if (matched === undefined)
      return { ok: false, key: name, errorCode: 'GENERAL', errorDetails: `The rules of '${name}' cannot be evaluated.` };
    const by = compiled.splitBy.get(matched);
    if (by !== undefined) {
      const missing = userMissing(given, by);
      if (missing !== undefined) return { ok: false, key: name, ...missing };
    }
    const { variant, value, errorMessage } = serving.evaluate(context);
    if (variant === undefined || value === undefined) {
      return { ok: false, key: name, errorCode: 'GENERAL', errorDetails: errorMessage ?? `'${name}' has no value.` };
    }
    const outcome = `${matched}\n${variant}`;
    const known = outcomes.get(outcome);
    if (known !== undefined) return known;
    const reason = by === undefined ? reasonOf(matched, compiled) : 'split';
    const made: Evaluation = { ok: true, key: name, value: value as Json, variant, reason, matched };
    outcomes.set(outcome, made);
    return made;
  };
  return { name, compiled, evaluate };
}

function featureFlag(name: string, definition: FlagdDefinition): FeatureFlag {
  return new FeatureFlag(name, definition as unknown as Flag, silent, { disableDynamicCodeGeneration: true });
}

/**
 * flagd copies the context into an object of its own; an own property `__proto__` makes that one an object without a prototype, so that a
 * rule about `constructor` meets what the user has and nothing else.
 */
function bare(context: JsonObject): EvaluationContext {
  const known = bares.get(context);
  if (known !== undefined) return known;
  const made = Object.defineProperty({ ...context }, '__proto__', { value: null, enumerable: true }) as EvaluationContext;
  bares.set(context, made);
  return made;
}

/** All flags are evaluated for one context, one after the other. */
const bares = new WeakMap<JsonObject, EvaluationContext>();

function reasonOf(matched: string, { serving }: CompiledFlag): EvaluationReason {
  if (matched === 'killed') return 'disabled';
  if (serving.targeting === undefined) return 'static';
  return matched === 'default' ? 'default' : 'targeting_match';
}

/** Why a split cannot be decided; without this, everybody without a user would get the default, unnoticed. */
function userMissing(context: JsonObject, by: string) {
  const value = isUser(by) ? (attributeOf(context, 'targetingKey') ?? attributeOf(context, 'user')) : attributeOf(context, by);
  if (typeof value === 'object' && value !== null) {
    return {
      errorCode: 'INVALID_CONTEXT',
      errorDetails: `The attribute '${by}' has to be text or a number: users are split by it.`,
    } as const;
  }
  if (value !== undefined && value !== null && value !== '') return undefined;
  if (isUser(by))
    return { errorCode: 'TARGETING_KEY_MISSING', errorDetails: 'Users are split by targetingKey, and the context has none.' } as const;
  return { errorCode: 'INVALID_CONTEXT', errorDetails: `Users are split by '${by}', and the context has no such attribute.` } as const;
}

/** By a dotted path, through own properties only. */
function attributeOf(context: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = context;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as JsonObject)[name];
  }
  return value === '' ? undefined : value;
}
