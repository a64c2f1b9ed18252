import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { SluiceError, type Problem } from '../../errors/sluice-error.ts';

/** The findings with absolute file names where a file is found below `root`, so that they can be shown from anywhere. */
export function located(problems: readonly Problem[], root: string): readonly Problem[] {
  return problems.map((problem) => {
    if (problem.position === undefined) return problem;
    const file = resolve(root, problem.position.file);
    return existsSync(file) ? { ...problem, position: { ...problem.position, file } } : problem;
  });
}

/** An error that came from the control plane, its findings located in the folder that it serves. */
export function locatedError(thrown: unknown, root: string): unknown {
  if (!(thrown instanceof SluiceError) || thrown.problems.length === 0) return thrown;
  const { code, message, help } = thrown;
  return new SluiceError(code, { message, help }, { cause: thrown, problems: located(thrown.problems, root) });
}
