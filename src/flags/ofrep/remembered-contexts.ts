import { canonicalJson } from '../../digest/json.ts';
import { readContext, type ReadContext } from '../context.ts';
import type { EvaluableFlag, Evaluation } from '../evaluate.ts';
import type { FlagSet } from '../flag-sets.ts';

/** What all flags of a set are for one context. */
interface EvaluatedContext {
  readonly ok: true;
  /** The context with its keys sorted. */
  readonly canonical: string;
  /** Of every flag, in the order of the set. */
  readonly evaluations: readonly Evaluation[];
}

export interface RememberedContexts {
  /** `body` as it was sent. What is no context is not remembered. */
  evaluated(body: string, set: FlagSet): EvaluatedContext | Extract<ReadContext, { readonly ok: false }>;
}

/** What an entry takes beside the text of its body, in characters: its context as an object, and a place for each flag. */
const overhead = { entry: 500, flag: 8 };

/**
 * Contexts of the clients that keep all flags. After a change all of them ask at one moment, each with the context it has sent before: then
 * only what was changed is evaluated. Bounded by `characters` in all; in two generations, so that what is asked for again stays. In memory
 * only: a context may hold what is personal.
 */
export function createRememberedContexts({ characters }: { readonly characters: number }): RememberedContexts {
  let [young, old] = [new Map<string, Remembered>(), new Map<string, Remembered>()];
  let size = 0;
  return {
    evaluated: (body, set) => {
      let known = young.get(body);
      if (known === undefined) {
        const read = old.get(body) ?? remembered(readContext(body));
        if ('ok' in read) return read;
        known = read;
        const taken = body.length + overhead.entry + overhead.flag * set.flags.size;
        size += taken;
        if (size > characters / 2) [old, young, size] = [young, new Map(), taken];
        young.set(body, known);
      }
      return { ok: true, canonical: known.canonical, evaluations: known.evaluations(set) };
    },
  };
}

interface Remembered {
  readonly canonical: string;
  evaluations(set: FlagSet): readonly Evaluation[];
}

function remembered(read: ReadContext): Remembered | Extract<ReadContext, { readonly ok: false }> {
  if (!read.ok) return read;
  const { context } = read;
  let of: FlagSet | undefined;
  let flags: readonly EvaluableFlag[] = [];
  let evaluations: readonly Evaluation[] = [];
  return {
    canonical: canonicalJson(context),
    evaluations: (set) => {
      if (of === set) return evaluations;
      const [before, known] = [flags, evaluations];
      flags = set.list;
      evaluations = flags.map((flag, index) => (before[index] === flag ? (known[index] as Evaluation) : flag.evaluate(context)));
      of = set;
      return evaluations;
    },
  };
}
