import type { Json } from '../digest/json.ts';
import { problem, type SourcePosition } from '../errors/sluice-error.ts';
import { collectBlocks, type RawBlock } from './blocks.ts';
import { reportCycles } from './check/cycles.ts';
import { reportStrayPaths } from './check/paths.ts';
import { findReferences, type Names, networksBySubnet, type ReferenceContext } from './check/references.ts';
import { checkSchema } from './check/schema.ts';
import { type DeclaredEnvironment, type Declarations, readDeclarations } from './declarations.ts';
import { readFields, type Variables } from './fields-of-node.ts';
import { kindSpecs } from './kinds/index.ts';
import { collectMoved } from './moved.ts';
import { createProblemList, type ProblemList } from './problems.ts';
import { positionOfNode, type SourceNode } from './source/node.ts';
import { placeOfPath, positionOfPath } from './source/place.ts';
import { type Kind, kinds, type Moved, type ResolvedBlock, type ResolvedStack } from './stack.ts';
import { nearestName } from './suggest.ts';
import { parseVariable } from './variable-value.ts';

/** A stack's text, read as far as it is the same in every environment. */
export interface DeclaredStack {
  readonly declarations: Declarations;
  readonly blocks: readonly RawBlock[];
  readonly names: Names;
  readonly subnets: ReadonlyMap<string, string>;
  readonly moved: readonly Moved[];
}

export function declareStack(files: readonly SourceNode[], problems: ProblemList): DeclaredStack {
  const blocks = collectBlocks(files, problems);
  const names = new Map<Kind, Set<string>>(kinds.map((kind) => [kind, new Set<string>()]));
  for (const { kind, name } of blocks) names.get(kind)?.add(name);
  const declared = names.get('environment');
  if (declared?.size === 0) declared.add('default');
  const declarations = readDeclarations(blocks, names, problems);
  return { blocks, names, subnets: networksBySubnet(blocks), declarations, moved: collectMoved(files, blocks, problems) };
}

export interface ResolveOptions {
  readonly root: string;
  readonly files: readonly string[];
  /** The first declared when absent. */
  readonly environment?: string | undefined;
  readonly variables?: Readonly<Record<string, string>> | undefined;
  /** Where problems are placed that stand nowhere in the text: those of the command line. */
  readonly start: SourcePosition;
}

/** The stack as one environment sees it. Whether it may be used, `problems` says: what is wrong is left out of it. */
export function resolveStack(stack: DeclaredStack, options: ResolveOptions, problems: ProblemList): ResolvedStack {
  const { declarations, names, subnets } = stack;
  const environment = chooseEnvironment(declarations, options, problems);
  const variables = valuesOf(declarations, environment, options, problems);
  const resources = stack.blocks.filter(({ kind }) => kind !== 'environment' && kind !== 'variable');
  const context = { environment: environment.name, variables, names, subnets, problems };
  const settings = gatewaySettings(stack.blocks, environment, context);
  const blocks = resources.flatMap((raw) => {
    const block = resolveBlock(raw, context);
    return block ? [settings === undefined ? block : afterGateway(block, settings)] : [];
  });
  if (settings) blocks.unshift(settings);
  checkTogether(blocks, problems);
  reportStrayPaths(blocks, problems);
  reportCycles(
    blocks.map(({ kind, name, references }) => ({
      key: `${kind}/${name}`,
      needs: references
        .filter(({ ordering }) => ordering)
        .map((reference) => ({ key: `${reference.kind}/${reference.name}`, position: reference.position })),
    })),
    problems,
  );
  const { variables: _values, ...declared } = environment;
  return {
    root: options.root,
    files: options.files,
    environment: declared,
    environments: declarations.environments.map(({ name }) => name),
    blocks,
    ...(stack.moved.length > 0 && { moved: stack.moved }),
  };
}

function chooseEnvironment({ environments }: Declarations, { environment: wanted, start }: ResolveOptions, problems: ProblemList) {
  const [first] = environments;
  const chosen = wanted === undefined ? first : environments.find(({ name }) => name === wanted);
  if (wanted !== undefined && !chosen) {
    const known = environments.map(({ name }) => name);
    problems.add(() =>
      problem('unknown_environment', { name: wanted, nearest: nearestName(wanted, known), environments: known }, { position: start }),
    );
  }
  return (chosen ?? first) as DeclaredEnvironment;
}

function valuesOf(
  { variables }: Declarations,
  environment: DeclaredEnvironment,
  options: ResolveOptions,
  problems: ProblemList,
): Variables {
  const given = new Map(Object.entries(options.variables ?? {}));
  for (const name of given.keys()) {
    if (variables.has(name)) continue;
    problems.add(() => problem('unknown_variable', { name, nearest: nearestName(name, variables.keys()) }, { position: options.start }));
  }
  return new Map(
    [...variables.values()].map(({ name, type, default: fallback, position }): [string, Json | undefined] => {
      const text = given.get(name);
      if (text !== undefined) {
        const value = parseVariable(type, text);
        if (value === undefined) problems.add(() => problem('variable_type', { name, type, found: 'other text' }, { position }));
        return [name, value];
      }
      const value = Object.hasOwn(environment.variables, name) ? environment.variables[name] : fallback;
      if (value === undefined) {
        problems.add(() => problem('missing_variable', { name, environment: environment.name }, { position }));
      }
      return [name, value];
    }),
  );
}

interface BlockContext extends ReferenceContext {
  readonly variables: Variables;
}

function resolveBlock(raw: RawBlock, context: BlockContext): ResolvedBlock | undefined {
  const { kind, name, node } = raw;
  const read = readFields(node, context.variables, kindSpecs[kind].verbatim ?? [], context.problems.add);
  const references = findReferences(raw, read, context);
  const fields = checkSchema({ kind, name, node, read }, context.problems);
  return (
    fields && {
      kind,
      name,
      address: `${context.environment}/${kind}/${name}`,
      fields,
      references,
      position: positionOfNode(node),
      positionOf: (path) => positionOfPath(node, path),
      declares: (path) => placeOfPath(node, path).found,
    }
  );
}

/** How the gateway is to serve the environment, where its block says so: a resource of its own, of the kind `environment`. */
function gatewaySettings(blocks: readonly RawBlock[], environment: DeclaredEnvironment, context: BlockContext): ResolvedBlock | undefined {
  const { gateway } = environment.fields;
  const raw = blocks.find(({ kind, name }) => kind === 'environment' && name === environment.name);
  if (raw === undefined || gateway === undefined) return undefined;
  // Every environment's problems have been reported where environments are read.
  const block = resolveBlock(raw, { ...context, problems: createProblemList() });
  if (block === undefined) return undefined;
  const references = block.references.filter(({ path }) => path.startsWith('gateway.'));
  return { ...block, fields: { name: block.name, gateway }, references };
}

/** The URL of a service that is exposed depends on how the gateway serves: the service comes after. */
function afterGateway(block: ResolvedBlock, { kind, name, address }: ResolvedBlock): ResolvedBlock {
  if (block.kind !== 'service' || block.fields['expose'] === undefined) return block;
  const reference = { path: 'expose', kind, name, address, ordering: true, position: block.positionOf('expose') };
  return { ...block, references: [...block.references, reference] };
}

function checkTogether(blocks: readonly ResolvedBlock[], problems: ProblemList): void {
  const byKind = Map.groupBy(blocks, ({ kind }) => kind);
  const context = { blocksOf: (kind: Kind) => byKind.get(kind) ?? [] };
  for (const [kind, ofKind] of byKind) {
    for (const found of kindSpecs[kind].check?.(ofKind, context) ?? []) problems.add(() => found);
  }
}
