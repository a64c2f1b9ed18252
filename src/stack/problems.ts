import { type Problem, problem } from '../errors/sluice-error.ts';

/** Problems shown of one stack; whoever gets more than these corrects some and looks again. */
const shown = 100;

/**
 * Gathers what is wrong with a stack: each finding once, in the order of the text, and no more than a person reads. What would be
 * dropped is not even worded, so that a stack with a million mistakes costs no more than one with a hundred.
 */
export interface ProblemList {
  /** `make` is called only while there is room. */
  readonly add: (make: () => Problem) => void;
  readonly hasErrors: boolean;
  sorted(): readonly Problem[];
}

export function createProblemList(): ProblemList {
  const found = new Map<string, Problem>();
  let hasErrors = false;
  let overflow: Problem | undefined;
  return {
    add(make) {
      if (overflow) return;
      const next = make();
      const key = `${next.code} ${next.position?.file}:${next.position?.line}:${next.position?.column} ${next.message}`;
      if (found.has(key)) return;
      hasErrors ||= next.severity === 'error';
      if (found.size < shown) found.set(key, next);
      else overflow = problem('too_many_problems', { shown }, { ...(next.position && { position: next.position }) });
    },
    get hasErrors() {
      return hasErrors;
    },
    sorted() {
      const inOrder = [...found.values()].toSorted(byPosition);
      return overflow ? [...inOrder, overflow] : inOrder;
    },
  };
}

function byPosition(left: Problem, right: Problem): number {
  const [a, b] = [left.position, right.position];
  if (!a || !b) return (a ? 1 : 0) - (b ? 1 : 0);
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
