import { isJsonObject, type Json, type JsonObject } from '../../digest/json.ts';
import { problem } from '../../errors/sluice-error.ts';
import type { RawBlock } from '../blocks.ts';
import type { PlacedExpression } from '../fields-of-node.ts';
import { labelPattern } from '../fields/names.ts';
import { fieldPatterns } from '../kinds/field-schema.ts';
import { kindSpecs } from '../kinds/index.ts';
import type { ProblemList } from '../problems.ts';
import { placeAt } from '../source/place.ts';
import { positionOfNode } from '../source/node.ts';
import type { Kind, Reference } from '../stack.ts';
import { nearestName } from '../suggest.ts';

/** The names of a stack's blocks by kind. `environment` holds the implicit one too. */
export type Names = ReadonlyMap<Kind, ReadonlySet<string>>;

/** The network that declares a subnet, by the name of the subnet; of several the first. */
export function networksBySubnet(blocks: readonly RawBlock[]): ReadonlyMap<string, string> {
  const networks = new Map<string, string>();
  for (const { kind, name, node } of blocks) {
    const subnets = kind === 'network' ? node.entries.get('subnets')?.value : undefined;
    for (const item of subnets?.type === 'list' ? subnets.items : []) {
      const subnet = placeAt(item, ['name']).node;
      if (subnet.type === 'scalar' && typeof subnet.value === 'string' && !networks.has(subnet.value)) networks.set(subnet.value, name);
    }
  }
  return networks;
}

/** Every value in `fields` that stands where `pattern` points, with its path. */
export function matches(fields: JsonObject, pattern: readonly string[]): readonly { path: readonly string[]; value: Json }[] {
  let here: { path: readonly string[]; value: Json }[] = [{ path: [], value: fields }];
  for (const step of pattern) {
    here = here.flatMap(({ path, value }) => members(value, step).map(([key, member]) => ({ path: [...path, key], value: member })));
    if (here.length === 0) break;
  }
  return here;
}

function members(value: Json, step: string): (readonly [string, Json])[] {
  if (Array.isArray(value)) return step === '*' ? (value as readonly Json[]).map((item, index) => [String(index), item] as const) : [];
  if (!isJsonObject(value)) return [];
  if (step === '*') return Object.entries(value);
  const member = Object.hasOwn(value, step) ? value[step] : undefined;
  return member === undefined ? [] : [[step, member]];
}

/**
 * The references of a block, in its reference fields and its interpolations. One that leads to nothing, to the block itself or to an
 * output its kind does not have is reported and left out. Environments are not resources: references to them are checked, not returned.
 */
export function findReferences(
  block: RawBlock,
  read: { readonly fields: JsonObject; readonly expressions: readonly PlacedExpression[] },
  context: ReferenceContext,
): readonly Reference[] {
  const found: Reference[] = [];
  const { environment } = context;
  for (const { path: pattern, refersTo, subnet } of fieldPatterns(block.kind)) {
    if (subnet) found.push(...subnetReferences(block, read.fields, pattern, context));
    if (!refersTo) continue;
    for (const { path, value } of matches(read.fields, pattern)) {
      // Anything else is reported by the schema.
      if (typeof value !== 'string' || !labelPattern.test(value) || (pattern.at(-1) === 'build' && value === 'all')) continue;
      const position = positionOfNode(placeAt(block.node, path).node);
      const kind = checkTarget(block, { kinds: refersTo.kinds, name: value, position }, context);
      if (kind === undefined || kind === 'environment') continue;
      const address = `${environment}/${kind}/${value}` as const;
      found.push({ path: path.join('.'), kind, name: value, address, ordering: refersTo.ordering, position });
    }
  }
  for (const { path, expression, position } of read.expressions) {
    const { name, output } = expression;
    const kind = checkTarget(block, { kinds: [expression.kind], name, position }, context);
    if (kind === undefined) continue;
    const outputs = Object.keys(kindSpecs[kind].outputs);
    if (!outputs.includes(output)) {
      context.problems.add(() =>
        problem('unknown_output', { kind, name, output, nearest: nearestName(output, outputs), outputs }, { position }),
      );
      continue;
    }
    found.push({ path, kind, name, address: `${environment}/${kind}/${name}`, output, ordering: true, position });
  }
  return found;
}

export interface ReferenceContext {
  readonly environment: string;
  readonly names: Names;
  readonly subnets: ReadonlyMap<string, string>;
  readonly problems: ProblemList;
}

/** A subnet that no network declares is the affair of the kind's own check. */
function subnetReferences(
  block: RawBlock,
  fields: JsonObject,
  pattern: readonly string[],
  { environment, subnets }: ReferenceContext,
): readonly Reference[] {
  return matches(fields, pattern).flatMap(({ path, value }): Reference[] => {
    const name = typeof value === 'string' ? subnets.get(value) : undefined;
    if (name === undefined || !labelPattern.test(name)) return [];
    const position = positionOfNode(placeAt(block.node, path).node);
    return [{ path: path.join('.'), kind: 'network', name, address: `${environment}/network/${name}`, ordering: true, position }];
  });
}

interface Target {
  readonly kinds: readonly Kind[];
  readonly name: string;
  readonly position: Reference['position'];
}

/** The kind under which the target is declared; undefined, and reported, when there is none or when it is the block itself. */
function checkTarget(block: RawBlock, { kinds, name, position }: Target, { names, problems }: { names: Names; problems: ProblemList }) {
  const kind = kinds.find((candidate) => names.get(candidate)?.has(name));
  if (kind === block.kind && name === block.name) {
    problems.add(() => problem('self_reference', { kind, name }, { position }));
    return undefined;
  }
  if (kind === undefined) {
    problems.add(() => {
      const candidates = kinds.flatMap((candidate) => [...(names.get(candidate) ?? [])]);
      return problem('unknown_reference', { kinds, name, nearest: nearestName(name, candidates) }, { position });
    });
  }
  return kind;
}
