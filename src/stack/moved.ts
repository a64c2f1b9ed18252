import { problem, type SourcePosition } from '../errors/sluice-error.ts';
import type { RawBlock } from './blocks.ts';
import { labelPattern } from './fields/names.ts';
import type { ProblemList } from './problems.ts';
import { describeNode, type MapNode, positionOfNode, type SourceNode } from './source/node.ts';
import { shorten } from './source/tree.ts';
import { type Kind, kinds, type Moved, movedKey } from './stack.ts';
import { nearestName } from './suggest.ts';

interface Place {
  readonly kind: Kind;
  readonly name: string;
  readonly position: SourcePosition;
}

/**
 * What the stack says was renamed. A chain (`a` to `b`, `b` to `c`) is followed to its end, so that environments that missed a step
 * catch up. Reported: what is no address, kinds that differ, a source that is still declared or moved twice, an end that is not declared,
 * circles. What is wrong is left out. Linear in entries.
 */
export function collectMoved(files: readonly SourceNode[], blocks: readonly RawBlock[], problems: ProblemList): readonly Moved[] {
  const declared = new Set(blocks.map(({ kind, name }) => `${kind}/${name}`));
  const next = new Map<string, Moved>();
  for (const node of files.flatMap(entriesOf)) {
    const moved = readEntry(node, problems);
    if (!moved) continue;
    const { kind, from, position } = moved;
    const source = `${kind}/${from}`;
    if (declared.has(source)) problems.add(() => problem('moved_still_declared', { from: source }, { position }));
    else if (next.has(source)) problems.add(() => problem('moved_twice', { from: source }, { position }));
    else next.set(source, moved);
  }
  return follow(next, declared, problems);
}

function entriesOf(file: SourceNode): readonly SourceNode[] {
  const value = file.type === 'map' ? file.entries.get(movedKey)?.value : undefined;
  if (value === undefined) return [];
  return value.type === 'list' ? value.items : [value];
}

function readEntry(node: SourceNode, problems: ProblemList): Moved | undefined {
  if (node.type !== 'map') {
    problems.add(() =>
      problem(
        'wrong_type',
        { field: movedKey, expected: 'a list of { from, to }', found: describeNode(node) },
        { position: positionOfNode(node) },
      ),
    );
    return undefined;
  }
  for (const [field, { keyStart }] of node.entries) {
    if (field === 'from' || field === 'to') continue;
    const position = node.source.positionAt(keyStart);
    const fields = ['from', 'to'];
    problems.add(() =>
      problem('unknown_field', { field: shorten(field), owner: 'A move', nearest: nearestName(field, fields), fields }, { position }),
    );
  }
  const [from, to] = [readPlace(node, 'from', problems), readPlace(node, 'to', problems)];
  if (!from || !to) return undefined;
  if (from.kind !== to.kind) {
    problems.add(() => problem('moved_kinds_differ', { from: from.kind, to: to.kind }, { position: to.position }));
    return undefined;
  }
  return { kind: from.kind, from: from.name, to: to.name, position: from.position };
}

function readPlace(node: MapNode, field: 'from' | 'to', problems: ProblemList): Place | undefined {
  const value = node.entries.get(field)?.value;
  if (value === undefined) {
    const description = 'an address of the form kind/name.';
    problems.add(() => problem('missing_field', { field, owner: 'A move', description }, { position: positionOfNode(node) }));
    return undefined;
  }
  const position = positionOfNode(value);
  const text = value.type === 'scalar' && typeof value.value === 'string' ? value.value : '';
  const [kind = '', name = '', ...rest] = text.split('/');
  const known = kinds.find((candidate) => candidate === kind);
  if (known && known !== 'environment' && known !== 'variable' && labelPattern.test(name) && rest.length === 0) {
    return { kind: known, name, position };
  }
  const nearest = nearestName(kind, kinds);
  const found = nearest === undefined || name === '' ? undefined : `${nearest}/${name}`;
  problems.add(() =>
    problem(
      'invalid_value',
      { field, expected: 'an address of the form kind/name, such as database/orders', nearest: found },
      { position },
    ),
  );
  return undefined;
}

function follow(next: ReadonlyMap<string, Moved>, declared: ReadonlySet<string>, problems: ProblemList): readonly Moved[] {
  /** Where a way ends: undefined for one that is wrong, which has been reported. */
  const ends = new Map<string, string | undefined>();
  for (const [source] of next) {
    const way: string[] = [];
    const onWay = new Set<string>();
    let at: string | undefined = source;
    for (let moved = next.get(source); moved && !ends.has(at); moved = next.get(at)) {
      way.push(at);
      onWay.add(at);
      at = `${moved.kind}/${moved.to}`;
      if (onWay.has(at)) {
        const { position } = moved;
        problems.add(() =>
          problem('moved_in_a_circle', { cycle: [...way.slice(way.indexOf(at as string)), at as string].slice(0, 20) }, { position }),
        );
        for (const member of way) ends.set(member, undefined);
        at = undefined;
        break;
      }
    }
    const last = way.at(-1);
    if (at === undefined || last === undefined) continue;
    let end: string | undefined = ends.has(at) ? ends.get(at) : at;
    if (!ends.has(at) && !declared.has(at)) {
      const { position, kind } = next.get(last) as Moved;
      const names = [...declared].filter((other) => other.startsWith(`${kind}/`));
      const to = at;
      problems.add(() => problem('moved_to_nothing', { to, nearest: nearestName(to, names) }, { position }));
      end = undefined;
    }
    for (const member of way) ends.set(member, end);
  }
  return [...next].flatMap(([source, moved]) => {
    const end = ends.get(source);
    return end === undefined ? [] : [{ ...moved, to: end.slice(moved.kind.length + 1) }];
  });
}
