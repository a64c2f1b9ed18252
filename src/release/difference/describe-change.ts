import { jsonEquals, isJsonObject, type Json, type JsonObject } from '../../digest/json.ts';
import { readApi } from '../compatibility/read-api.ts';
import { compareApis } from '../compatibility/openapi.ts';
import { bumpBetween } from '../compatibility/version.ts';
import { readMigrationName } from '../migrations/migration-name.ts';
import { type FilePart, fileParts } from '../release-content.ts';
import type { ReleaseContent } from '../release.ts';
import type { FileChange, ImageEnd, MigrationChange, ModelChange, PromptChange, ReleaseChange, ValueChange } from './release-change.ts';
import type { ReleaseFile, ReleaseFiles } from './release-files.ts';
import { lineDifference, type WordRun, wordDifference, wordsIn } from './text-difference.ts';

/** One of the two that are compared. */
export interface ComparedRelease {
  readonly version: string;
  readonly content: ReleaseContent;
  /** What its image is called. */
  readonly image?: string | undefined;
  readonly files: ReleaseFiles;
}

const diffLinesOfFile = 200;
const diffLinesOfAll = 2_000;

/** What is different between two releases. Pure; bounded, however much that is. */
export function describeChange(before: ComparedRelease, after: ComparedRelease): ReleaseChange {
  const pairs = fileParts.flatMap((part) => changedPairs(part, before.files[part] ?? [], after.files[part] ?? []));
  const model = modelChange(before.content.model, after.content.model);
  const { command } = before.content;
  return {
    version: { from: before.version, to: after.version, bump: bumpBetween(before.version, after.version) },
    files: fileChanges(pairs),
    prompts: pairs.filter(({ part }) => part === 'prompts').flatMap(promptChange),
    ...(model && { model }),
    environment: valueChanges(before.content.environment, after.content.environment),
    ...imageChange(before, after),
    ...(!jsonEquals([...command], [...after.content.command]) && { command: { from: command, to: after.content.command } }),
    ...apiChanges(before.files.api?.[0], after.files.api?.[0]),
    migrations: pairs.filter(({ part }) => part === 'migrations').map(migrationChange),
  };
}

/** Whether the two behave the same: only their labels may differ. */
export function isSameContent({ files, model, environment, image, command }: ReleaseChange): boolean {
  return files.length === 0 && model === undefined && environment.length === 0 && image === undefined && command === undefined;
}

function imageChange(before: ComparedRelease, after: ComparedRelease): Pick<ReleaseChange, 'image'> {
  if (before.content.image === after.content.image) return {};
  const [from, to] = [imageOf(before), imageOf(after)];
  return { image: { ...(from && { from }), ...(to && { to }) } };
}

function imageOf({ image: reference, content }: ComparedRelease): ImageEnd | undefined {
  return content.image && { ...(reference !== undefined && { reference }), digest: content.image };
}

interface Pair {
  readonly part: FilePart;
  readonly path: string;
  readonly before?: ReleaseFile;
  readonly after?: ReleaseFile;
}

function changedPairs(part: FilePart, before: readonly ReleaseFile[], after: readonly ReleaseFile[]): readonly Pair[] {
  const old = new Map(before.map((file) => [file.path, file]));
  const now = new Map(after.map((file) => [file.path, file]));
  const paths = [...new Set([...old.keys(), ...now.keys()])].toSorted();
  return paths.flatMap((path): Pair[] => {
    const [one, other] = [old.get(path), now.get(path)];
    if (one?.digest === other?.digest) return [];
    return [{ part, path, ...(one && { before: one }), ...(other && { after: other }) }];
  });
}

function kindOf({ before, after }: Pair): FileChange['change'] {
  if (before === undefined) return 'added';
  return after === undefined ? 'removed' : 'changed';
}

function fileChanges(pairs: readonly Pair[]): readonly FileChange[] {
  let room = diffLinesOfAll;
  return pairs.map((pair): FileChange => {
    const { part, path, before, after } = pair;
    const change = { part, path, change: kindOf(pair) };
    const isText = (before === undefined || before.text !== undefined) && (after === undefined || after.text !== undefined);
    if (!isText) return change;
    const { added, removed, diff, omitted } = lineDifference(before?.text ?? '', after?.text ?? '', Math.min(room, diffLinesOfFile));
    room -= diff === '' ? 0 : diff.split('\n').length;
    return { ...change, lines: { added, removed }, ...(diff !== '' && { diff }), ...(omitted > 0 && { omitted }) };
  });
}

function promptChange({ path, before, after }: Pair): PromptChange[] {
  if ((before && before.text === undefined) || (after && after.text === undefined)) return [];
  const [old, now] = [before?.text ?? '', after?.text ?? ''];
  const words = wordDifference(old, now);
  const count = (change: WordRun['change']): number =>
    words.filter((run) => run.change === change).reduce((sum, run) => sum + wordsIn(run.text), 0);
  return [{ path, words, changed: Math.max(count('added'), count('removed')), of: Math.max(wordsIn(old), wordsIn(now)) }];
}

function modelChange(before: JsonObject | undefined, after: JsonObject | undefined): ModelChange | undefined {
  if (before === undefined && after === undefined) return undefined;
  const [name] = valueChanges(only(before, 'name'), only(after, 'name'));
  const [version] = valueChanges(only(before, 'version'), only(after, 'version'));
  const parameters = valueChanges(parametersOf(before), parametersOf(after));
  if (!name && !version && parameters.length === 0) return undefined;
  return { ...(name && { name: ends(name) }), ...(version && { version: ends(version) }), parameters };
}

function parametersOf(model: JsonObject | undefined): JsonObject {
  const parameters = model?.['parameters'];
  return isJsonObject(parameters) ? parameters : {};
}

function only(model: JsonObject | undefined, field: string): JsonObject {
  const value = model?.[field];
  return value === undefined ? {} : { [field]: value };
}

function ends({ from, to }: ValueChange): { readonly from?: Json; readonly to?: Json } {
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

function valueChanges(before: Readonly<Record<string, Json>>, after: Readonly<Record<string, Json>>): readonly ValueChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return names.flatMap((name): ValueChange[] => {
    const [from, to] = [before[name], after[name]];
    if (from !== undefined && to !== undefined && jsonEquals(from, to)) return [];
    return [{ name, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }];
  });
}

function apiChanges(before: ReleaseFile | undefined, after: ReleaseFile | undefined): Pick<ReleaseChange, 'apiComparison' | 'api'> {
  if (before === undefined) return { apiComparison: after === undefined ? 'none' : 'added', api: [] };
  if (after === undefined) return { apiComparison: 'removed', api: [] };
  if (before.digest === after.digest) return { apiComparison: 'same', api: [] };
  const [old, now] = [readApi(before.text), readApi(after.text)];
  if (old === undefined || now === undefined) return { apiComparison: 'unreadable', api: [] };
  return { apiComparison: 'compared', api: compareApis(old, now) };
}

function migrationChange(pair: Pair): MigrationChange {
  const name = pair.path.replace(/^migrations\//, '');
  const phase = readMigrationName(name)?.phase;
  return { name, change: kindOf(pair), ...(phase && { phase }) };
}
