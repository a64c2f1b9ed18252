import type { Digest } from '../../digest/digest.ts';
import type { Json } from '../../digest/json.ts';
import type { ApiChange } from '../compatibility/api-change.ts';
import type { MigrationPhase } from '../migrations/migration-name.ts';
import type { FilePart } from '../release-content.ts';
import type { WordRun } from './text-difference.ts';

/** Everything that is different between two releases. Empty lists and absent fields say that nothing is. */
export interface ReleaseChange {
  readonly version: VersionChange;
  readonly files: readonly FileChange[];
  /** The same prompts as in `files`, word by word. */
  readonly prompts: readonly PromptChange[];
  readonly model?: ModelChange;
  /** As declared: a secret only as its reference. */
  readonly environment: readonly ValueChange[];
  /** Another image, or code from an image instead of from a folder, or the other way round. */
  readonly image?: { readonly from?: ImageEnd; readonly to?: ImageEnd };
  readonly command?: { readonly from: readonly string[]; readonly to: readonly string[] };
  /** `unreadable`: changed, and one of the two is no OpenAPI description. */
  readonly apiComparison: 'none' | 'same' | 'compared' | 'added' | 'removed' | 'unreadable';
  readonly api: readonly ApiChange[];
  readonly migrations: readonly MigrationChange[];
}

export interface ImageEnd {
  /** What it was called. */
  readonly reference?: string;
  readonly digest: Digest;
}

interface VersionChange {
  readonly from: string;
  readonly to: string;
  readonly bump: 'none' | 'patch' | 'minor' | 'major' | 'lower' | 'prerelease';
}

export interface FileChange {
  readonly part: FilePart;
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Lines; absent for what is no text, or too much of it. */
  readonly lines?: { readonly added: number; readonly removed: number };
  readonly diff?: string;
  /** Lines of the diff that are left out. */
  readonly omitted?: number;
}

export interface PromptChange {
  readonly path: string;
  readonly words: readonly WordRun[];
  readonly changed: number;
  /** Words of the longer of the two. */
  readonly of: number;
}

export interface ModelChange {
  readonly name?: { readonly from?: Json; readonly to?: Json };
  readonly version?: { readonly from?: Json; readonly to?: Json };
  readonly parameters: readonly ValueChange[];
}

/** `from` is absent for what is new, `to` for what is gone. */
export interface ValueChange {
  readonly name: string;
  readonly from?: Json;
  readonly to?: Json;
}

export interface MigrationChange {
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Absent for a file that is not named like a migration. */
  readonly phase?: MigrationPhase;
}
