// Random stacks and what people do to them: resources come, go, change, are renamed, rewired, protected.
import type { Json, JsonObject } from '../../digest/json.ts';
import type { Random } from '../../effects/random.ts';
import { outputExpressions } from '../../stack/interpolate.ts';
import { kindSpecs } from '../../stack/kinds/index.ts';
import type { Address, Kind, Moved, Reference, ResolvedBlock, ResolvedStack } from '../../stack/stack.ts';

export const environment = 'test';

/** One block in few words. It refers only to blocks before it in the list, so there are no circles. */
export interface Sketch {
  readonly kind: Kind;
  readonly name: string;
  readonly size: number;
  /** Cannot change in place. */
  readonly version: number;
  /** Only one can have it at a time. */
  readonly port?: number;
  readonly protect: boolean;
  /** Names it has moved from. */
  readonly was: readonly string[];
  /** Indices of earlier blocks it stands on. */
  readonly on: readonly number[];
  /** Indices of earlier blocks whose outputs it reads. */
  readonly reads: readonly number[];
}

const sketchKinds = [
  'resource_group',
  'network',
  'virtual_machine',
  'database',
  'cache',
  'secret',
  'service',
] as const satisfies readonly Kind[];
const position = { file: 'stack.yaml', line: 1, column: 1 };

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  return items[Math.floor(random.next() * items.length)] as Item;
}

export function sketchStack(random: Random, size: number): readonly Sketch[] {
  const sketches: Sketch[] = [];
  for (let index = 0; index < size; index += 1) sketches.push(sketch(random, sketches));
  return sketches;
}

/** Nearly always what people do: one thing at a time. */
export function edit(random: Random, before: readonly Sketch[]): readonly Sketch[] {
  const index = Math.floor(random.next() * before.length);
  const chosen = before[index];
  const roll = random.next();
  if (chosen === undefined || roll < 0.2) return before.length < 7 ? [...before, sketch(random, before)] : before;
  const put = (changed: Partial<Sketch>) => before.with(index, { ...chosen, ...changed });
  if (roll < 0.38) return put({ size: chosen.size + 1 });
  if (roll < 0.53) return put({ version: chosen.version + 1, ...(random.next() < 0.3 && { port: Math.floor(random.next() * 3) }) });
  if (roll < 0.58) return put({ protect: !chosen.protect });
  if (roll < 0.62) return put({ name: freeName(random, before) });
  if (roll < 0.67) return put({ name: freeName(random, before), was: [...chosen.was, chosen.name] });
  if (roll < 0.76) return put({ on: earlier(random, index), reads: earlier(random, index) });
  return roll < 0.97 ? without(before, index) : [];
}

function sketch(random: Random, before: readonly Sketch[]): Sketch {
  const last = before.length;
  return {
    kind: pick(random, sketchKinds),
    name: freeName(random, before),
    size: 1,
    version: 1,
    ...(random.next() < 0.2 && { port: Math.floor(random.next() * 3) }),
    protect: random.next() < 0.12,
    was: [],
    on: earlier(random, last),
    reads: earlier(random, last),
  };
}

function earlier(random: Random, index: number): readonly number[] {
  const count = Math.min(index, Math.floor(random.next() * 3));
  return [...new Set(Array.from({ length: count }, () => Math.floor(random.next() * index)))];
}

/** Names come back: what was there once may be made again. */
function freeName(random: Random, taken: readonly Sketch[]): string {
  const names = new Set(taken.map(({ name }) => name));
  return pick(
    random,
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].filter((name) => !names.has(name)),
  );
}

function without(before: readonly Sketch[], gone: number): readonly Sketch[] {
  const moved = (indices: readonly number[]) =>
    indices.filter((index) => index !== gone).map((index) => (index > gone ? index - 1 : index));
  return before.toSpliced(gone, 1).map((each): Sketch => Object.assign({}, each, { on: moved(each.on), reads: moved(each.reads) }));
}

export function toStack(sketches: readonly Sketch[]): ResolvedStack {
  const others = (indices: readonly number[]) => indices.map((index) => sketches[index] as Sketch);
  const blocks = sketches.map(({ kind, name, size, version, port, protect, on, reads }) => {
    const env = others(reads).flatMap((other) => expressionFor(other));
    return blockOf(kind, {
      name,
      size,
      version,
      ...(port !== undefined && { port }),
      ...(protect && { protect }),
      on: others(on).map((other) => `${other.kind}.${other.name}`),
      env: Object.fromEntries(env.map((text, at): [string, Json] => [`V${at}`, text])),
    });
  });
  const settings = { name: environment, provider: 'simulated', fields: {} };
  const moved = movesOf(sketches);
  const files = ['stack.yaml'];
  return { root: '/stack', files, environment: settings, environments: [environment], blocks, ...(moved.length > 0 && { moved }) };
}

/** What a stack may say of moves: from names that nothing has by now, and from each only once. */
function movesOf(sketches: readonly Sketch[]): readonly Moved[] {
  const taken = new Set(sketches.map(({ kind, name }) => `${kind}/${name}`));
  return sketches.flatMap(({ kind, name, was }) =>
    was.flatMap((from): Moved[] => {
      if (taken.has(`${kind}/${from}`)) return [];
      taken.add(`${kind}/${from}`);
      return [{ kind, from, to: name, position }];
    }),
  );
}

function expressionFor({ kind, name }: Sketch): readonly string[] {
  const [output] = Object.keys(kindSpecs[kind].outputs);
  if (output === undefined) return [];
  return [kind === 'secret' ? `\${secret.${name}}` : `value \${${kind}.${name}.${output}}`];
}

function blockOf(kind: Kind, fields: JsonObject & { readonly name: string; readonly on: readonly string[] }): ResolvedBlock {
  const refer = (path: string, other: Kind, name: string, output?: string): Reference => ({
    path,
    kind: other,
    name,
    address: addressOf(other, name),
    ordering: true,
    position,
    ...(output !== undefined && { output }),
  });
  const references = [
    ...fields.on.map((target, index) => {
      const [other, name] = target.split('.') as [Kind, string];
      return refer(`on.${index}`, other, name);
    }),
    ...outputExpressions(fields).map((expression) => refer('env', expression.kind, expression.name, expression.output)),
  ];
  const address = addressOf(kind, fields.name);
  return { kind, name: fields.name, address, fields, references, position, positionOf: () => position, declares: () => true };
}

function addressOf(kind: Kind, name: string): Address {
  return `${environment}/${kind}/${name}`;
}
