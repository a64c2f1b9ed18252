import type { JsonObject } from '../../digest/json.ts';
import { kindSpecs } from '../kinds/index.ts';
import type { ProblemList } from '../problems.ts';
import { type CheckedBlock, expectedOf, reportIssue } from './issues.ts';

/** The fields of a block with defaults filled in; undefined when its kind's schema refuses them, and `problems` then says why. */
export function checkSchema(block: CheckedBlock, problems: ProblemList): JsonObject | undefined {
  const result = kindSpecs[block.kind].schema.safeParse(block.read.fields, { error: expectedOf });
  if (!result.success) {
    for (const issue of result.error.issues) reportIssue(issue, block, problems);
    return undefined;
  }
  return block.read.broken.size > 0 ? undefined : (result.data as JsonObject);
}
