import { isJsonObject, type Json, type JsonObject } from '../digest/json.ts';
import { problem, type SourcePosition } from '../errors/sluice-error.ts';
import type { RawBlock } from './blocks.ts';
import { checkSchema } from './check/schema.ts';
import { findReferences, type Names } from './check/references.ts';
import { reportCycles } from './check/cycles.ts';
import { readFields } from './fields-of-node.ts';
import type { EnvironmentFields } from './kinds/environment.ts';
import type { VariableFields } from './kinds/variable.ts';
import type { ProblemList } from './problems.ts';
import { positionOfNode } from './source/node.ts';
import { placeAt, positionOfPath } from './source/place.ts';
import type { EnvironmentSettings } from './stack.ts';
import { nearestName } from './suggest.ts';
import { checkVariableValue } from './variable-value.ts';

interface DeclaredVariable {
  readonly name: string;
  readonly type: VariableFields['type'];
  readonly default?: Json;
  readonly position: SourcePosition;
}

export interface DeclaredEnvironment extends EnvironmentSettings {
  readonly variables: JsonObject;
}

/** What a stack says about its environments and variables: all that must be known before other blocks can be read. */
export interface Declarations {
  /** In the order of the text; never empty: a stack that declares none has one, `default`. */
  readonly environments: readonly DeclaredEnvironment[];
  readonly variables: ReadonlyMap<string, DeclaredVariable>;
}

const implicitEnvironment: DeclaredEnvironment = {
  name: 'default',
  provider: 'local',
  fields: { name: 'default', provider: 'local', variables: {} },
  variables: {},
};

export function readDeclarations(blocks: readonly RawBlock[], names: Names, problems: ProblemList): Declarations {
  const variables = new Map<string, DeclaredVariable>();
  for (const block of blocks.filter(({ kind }) => kind === 'variable')) {
    const variable = readVariable(block, problems);
    variables.set(block.name, variable);
  }
  const environments = blocks
    .filter(({ kind }) => kind === 'environment')
    .map((block) => readEnvironment(block, variables, names, problems));
  reportCycles(
    environments.map(({ name, fields, position }) => ({
      key: `environment/${name}`,
      needs: typeof fields['promote_from'] === 'string' && position ? [{ key: `environment/${fields['promote_from']}`, position }] : [],
    })),
    problems,
  );
  reportEngines(blocks, environments, problems);
  reportPorts(blocks, environments, problems);
  return { environments: environments.length > 0 ? environments : [implicitEnvironment], variables };
}

/** One gateway serves every environment: it cannot be two. */
function reportEngines(blocks: readonly RawBlock[], environments: readonly DeclaredEnvironment[], problems: ProblemList): void {
  const named = environments.flatMap(({ name, fields }) => {
    const engine = (fields as unknown as EnvironmentFields).gateway?.engine;
    return engine === undefined ? [] : [{ name, engine }];
  });
  for (const { name, engine } of named) {
    const [first] = named;
    const block = blocks.find((each) => each.kind === 'environment' && each.name === name);
    if (first === undefined || block === undefined || engine === first.engine) continue;
    const position = positionOfPath(block.node, 'gateway.engine');
    problems.add(() => problem('gateway_engine_conflict', { engine, other: first.name, otherEngine: first.engine }, { position }));
  }
}

function overlap(one: string, other: string): boolean {
  return one === other || [one, other].some((each) => each === '0.0.0.0' || each === '::');
}

/** No two environments can be reached at the same place. Environments that say nothing of their ports are given free ones. */
function reportPorts(blocks: readonly RawBlock[], environments: readonly DeclaredEnvironment[], problems: ProblemList): void {
  const wanted = environments.flatMap(({ name, fields }) => {
    const { address = '127.0.0.1', ports, tls } = (fields as unknown as EnvironmentFields).gateway ?? {};
    const given = [
      { field: 'gateway.ports.http', port: ports?.http },
      ports?.https === undefined ? { field: 'gateway.tls.port', port: tls?.port } : { field: 'gateway.ports.https', port: ports.https },
    ];
    return given.flatMap(({ field, port }) => (port === undefined ? [] : [{ name, address, field, port }]));
  });
  for (const [index, { name, address, field, port }] of wanted.entries()) {
    const before = wanted.slice(0, index).find((each) => each.name !== name && each.port === port && overlap(each.address, address));
    const block = blocks.find((each) => each.kind === 'environment' && each.name === name);
    if (before === undefined || block === undefined) continue;
    problems.add(() => problem('gateway_port_conflict', { port, other: before.name }, { position: positionOfPath(block.node, field) }));
  }
}

function readVariable(block: RawBlock, problems: ProblemList): DeclaredVariable {
  const position = positionOfNode(block.node);
  const fields = readPlain(block, problems) as unknown as VariableFields | undefined;
  // A variable that is itself wrong still exists, so that its uses are not reported as well.
  if (!fields) return { name: block.name, type: 'string', default: '', position };
  const { name, type } = fields;
  if (fields.default === undefined) return { name, type, position };
  const at = positionOfPath(block.node, 'default');
  checkVariableValue({ name, type, value: fields.default }, at, problems);
  return { name, type, default: fields.default, position };
}

function readEnvironment(
  block: RawBlock,
  variables: ReadonlyMap<string, DeclaredVariable>,
  names: Names,
  problems: ProblemList,
): DeclaredEnvironment {
  const { name } = block;
  const position = positionOfNode(block.node);
  const fields = readPlain(block, problems, names);
  if (!fields) return { ...implicitEnvironment, name, position };
  const { provider, variables: values } = fields as unknown as EnvironmentFields;
  for (const [key, value] of Object.entries(values)) {
    const place = placeAt(block.node, ['variables', key]);
    const variable = variables.get(key);
    if (variable) checkVariableValue({ name: key, type: variable.type, value }, positionOfNode(place.node), problems);
    else {
      const at = block.node.source.positionAt(place.keyStart ?? place.node.start);
      problems.add(() => problem('unknown_variable', { name: key, nearest: nearestName(key, variables.keys()) }, { position: at }));
    }
  }
  return { name, provider, fields, variables: isJsonObject(values) ? values : {}, position };
}

/** The one field of an environment that is applied like a resource: it may read what other resources give. */
const appliedField = 'gateway';

/** The checked fields of a block in which nothing may be interpolated, but for the gateway of an environment. */
function readPlain(block: RawBlock, problems: ProblemList, names?: Names): JsonObject | undefined {
  const { kind, name, node } = block;
  const owner = `The ${kind} '${name}'`;
  const refuse = (position: SourcePosition) => problems.add(() => problem('interpolation_not_allowed', { owner }, { position }));
  // Whatever is wrong with an interpolation here, the one thing to say is that none may stand here.
  const read = readFields(node, new Map(), [], (make) => refuse(make().position ?? positionOfNode(node)));
  const [allowed, refused] = partition(read.expressions, ({ path }) => kind === 'environment' && path.startsWith(`${appliedField}.`));
  for (const { position } of refused) refuse(position);
  const context = { environment: name, subnets: new Map<string, string>(), problems };
  if (names) findReferences(block, { fields: read.fields, expressions: allowed }, { ...context, names });
  const broken = new Set([...read.broken, ...refused.map(({ path }) => path)]);
  return checkSchema({ kind, name, node, read: { fields: read.fields, broken } }, problems);
}

function partition<Item>(items: readonly Item[], belongs: (item: Item) => boolean): readonly [readonly Item[], readonly Item[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}
