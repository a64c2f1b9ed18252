import { stat } from 'node:fs/promises';
import { problem, type Problem, type SourcePosition } from '../../errors/sluice-error.ts';
import { containedPath } from '../../effects/files.ts';
import type { PathKind } from '../fields/paths.ts';
import { fieldPatterns } from '../kinds/field-schema.ts';
import type { ProblemList } from '../problems.ts';
import { shorten } from '../source/tree.ts';
import type { ResolvedBlock } from '../stack.ts';
import { matches } from './references.ts';

interface PathField {
  readonly field: string;
  readonly path: string;
  readonly kind: PathKind;
  readonly position: SourcePosition;
}

function pathFields(block: ResolvedBlock): readonly PathField[] {
  return fieldPatterns(block.kind).flatMap(({ path: pattern, stackPath: kind }) =>
    kind === undefined
      ? []
      : matches(block.fields, pattern).flatMap(({ path, value }) => {
          const field = path.join('.');
          // A field may take a path or an interpolation.
          const isPath = typeof value === 'string' && !value.startsWith('${');
          return isPath ? [{ field, path: value, kind, position: block.positionOf(field) }] : [];
        }),
  );
}

/** Reports paths that by their text alone lead out of the stack's folder. Needs no disk. */
export function reportStrayPaths(blocks: readonly ResolvedBlock[], problems: ProblemList): void {
  for (const { field, path, position } of blocks.flatMap(pathFields)) {
    if (path.startsWith('/') || path.split('/').includes('..')) {
      problems.add(() => problem('path_outside_stack', { field, path: shorten(path) }, { position }));
    }
  }
}

/**
 * Reports paths that lead out of `root` through a symbolic link (always an error), and those at which nothing of the declared kind is
 * (of the given severity).
 */
export async function reportMissingPaths(
  blocks: readonly ResolvedBlock[],
  root: string,
  severity: Problem['severity'],
  problems: ProblemList,
): Promise<void> {
  for (const { field, path, kind, position } of blocks.flatMap(pathFields)) {
    const absolute = containedPath(root, path);
    if (absolute === undefined) {
      problems.add(() => problem('path_outside_stack', { field, path: shorten(path) }, { position }));
    } else if (!(await isOfKind(absolute, kind))) {
      problems.add(() => problem('path_not_found', { field, path: shorten(path), expected: kind }, { position, severity }));
    }
  }
}

async function isOfKind(path: string, kind: PathKind): Promise<boolean> {
  try {
    const found = await stat(path);
    return (kind !== 'folder' && found.isFile()) || (kind !== 'file' && found.isDirectory());
  } catch {
    return false;
  }
}
