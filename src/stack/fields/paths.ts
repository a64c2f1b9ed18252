import { z } from 'zod';

export type PathKind = 'file' | 'folder' | 'file or folder';

/**
 * A path relative to the stack's folder and inside it. What it says about itself (`x-path`) lets loading find every path of a stack;
 * whether it stays inside the folder and exists is checked there, not here.
 */
export function stackPath(kind: PathKind) {
  return z
    .string()
    .min(1, { error: 'a path inside the folder of the stack' })
    .max(1024, { error: 'at most 1024 characters' })
    .refine((path) => !path.includes('\0') && !path.includes('\\'), { error: 'a path with / between folders and without NUL characters' })
    .refine((path) => !path.includes('${'), { error: 'a path that is known when planning' })
    .meta({ 'x-path': kind });
}
