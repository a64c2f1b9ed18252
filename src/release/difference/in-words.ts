import type { Json } from '../../digest/json.ts';
import type { FilePart } from '../release-content.ts';
import { isSameContent } from './describe-change.ts';
import type { FileChange, ImageEnd, ReleaseChange, ValueChange } from './release-change.ts';

/** A change as sentences a person reads from top to bottom: what matters most to users of the service first. Never empty. */
export function inWords(change: ReleaseChange): readonly string[] {
  const { version, model, command, api, apiComparison, migrations, environment } = change;
  const lines = [
    ...(version.from === version.to ? [] : [`version: ${version.from} to ${version.to} (${bumpInWords(version)})`]),
    ...imageInWords(change),
    ...filesInWords('code', 'source', change.files),
    ...change.prompts.map(({ path, changed, of }) => `prompt ${path}: ${changed} of ${of} words`),
    ...(model?.name ? [`model: ${shown(model.name.from)} to ${shown(model.name.to)}`] : []),
    ...(model?.version ? [`model version: ${shown(model.version.from)} to ${shown(model.version.to)}`] : []),
    ...(model?.parameters ?? []).map((parameter) => `model parameter ${valueInWords(parameter)}`),
    ...filesInWords('policy', 'policy', change.files),
    ...environment.map((variable) => `variable ${valueInWords(variable)}`),
    ...(command ? [`command: ${command.from.join(' ')} to ${command.to.join(' ')}`] : []),
    ...(apiComparison === 'added' ? ['API: is now described'] : []),
    ...(apiComparison === 'removed' ? ['API: is no longer described'] : []),
    ...(apiComparison === 'unreadable' ? ['API: changed, and cannot be compared'] : []),
    ...(apiComparison === 'compared' && api.length === 0 ? ['API: described otherwise, the same for its clients'] : []),
    ...api.map(({ path, what, breaking }) => `API ${path}: ${what}${breaking ? ' (breaking)' : ''}`),
    ...migrations.map(({ name, change: how, phase }) => `migration ${name}: ${how}${phase ? ` (${phase})` : ''}`),
  ];
  if (!isSameContent(change)) return lines;
  return [...lines, 'nothing that changes behaviour'];
}

/** Build metadata tells versions apart and says nothing of what changed. */
function bumpInWords({ bump }: ReleaseChange['version']): string {
  return bump === 'none' ? 'another build' : bump;
}

/** `image agent:2 is another: sha256:0123456789ab to sha256:ba9876543210`. Digests by as much as tells them apart for people. */
export function imageInWords({ image }: Pick<ReleaseChange, 'image'>): string[] {
  if (!image) return [];
  const { from, to } = image;
  if (from && to && from.reference === to.reference && to.reference !== undefined) {
    return [`image ${to.reference} is another: ${short(from.digest)} to ${short(to.digest)}`];
  }
  if (from && to) return [`image: ${named(from)} to ${named(to)}`];
  if (to) return [`image: the code comes from ${named(to)}`];
  return from ? [`image: the code no longer comes from ${named(from)}`] : [];
}

function named({ reference, digest }: ImageEnd): string {
  return reference === undefined ? short(digest) : `${reference} (${short(digest)})`;
}

function short(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12);
}

function filesInWords(name: string, part: FilePart, all: readonly FileChange[]): string[] {
  const files = all.filter((file) => file.part === part);
  if (files.length === 0) return [];
  const counts = (['added', 'removed', 'changed'] as const).flatMap((kind) => {
    const count = files.filter(({ change }) => change === kind).length;
    return count === 0 ? [] : [`${count} ${kind}`];
  });
  const added = files.reduce((sum, { lines }) => sum + (lines?.added ?? 0), 0);
  const removed = files.reduce((sum, { lines }) => sum + (lines?.removed ?? 0), 0);
  const listed = `${files
    .slice(0, 5)
    .map(({ path }) => path)
    .join(', ')}${files.length > 5 ? ` and ${files.length - 5} more` : ''}`;
  const opaque = files.filter(({ lines }) => lines === undefined).length;
  const unread = opaque === 0 ? '' : `, ${opaque} not compared by line (no text, or a large one)`;
  return [`${name}: ${counts.join(', ')}, +${added} -${removed} lines${unread}: ${listed}`];
}

function valueInWords({ name, from, to }: ValueChange): string {
  if (from === undefined) return `${name}: added, ${shown(to)}`;
  return to === undefined ? `${name}: removed, it was ${shown(from)}` : `${name}: ${shown(from)} to ${shown(to)}`;
}

function shown(value: Json | undefined): string {
  if (value === undefined) return 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text === '' ? '(empty)' : text;
}
