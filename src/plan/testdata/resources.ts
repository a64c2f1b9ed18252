// Blocks, states and plan inputs with defaults, for tests.
import type { JsonObject } from '../../digest/json.ts';
import type { ResourceState } from '../../providers/resource-state.ts';
import type { Address, Kind, Reference, ResolvedBlock } from '../../stack/stack.ts';
import type { DependencyValue, DesiredResource, PlanInputs, RecordedResource } from '../inputs.ts';

const environment = 'production';
const position = { file: 'stack.yaml', line: 1, column: 1 };

export function addressOf(kind: Kind, name: string): Address {
  return `${environment}/${kind}/${name}`;
}

/** A reference by a field; with `output` an interpolation. */
export function refersTo(path: string, kind: Kind, name: string, output?: string): Reference {
  return { path, kind, name, address: addressOf(kind, name), ordering: true, position, ...(output !== undefined && { output }) };
}

export function block(kind: Kind, name: string, fields: JsonObject = {}, references: readonly Reference[] = []): ResolvedBlock {
  return {
    kind,
    name,
    address: addressOf(kind, name),
    fields: { name, ...fields },
    references,
    position,
    positionOf: () => position,
    declares: () => true,
  };
}

export function desired(
  of: ResolvedBlock,
  more: Partial<Pick<DesiredResource, 'provider' | 'fingerprint' | 'replaceFields' | 'coexistence' | 'rollout'>> = {},
): DesiredResource {
  const dependencyValues = of.references
    .filter(({ ordering }) => ordering)
    .map(({ path, kind, name, output, address }): DependencyValue => {
      const key = output === undefined ? address : `\${${kind}.${name}.${output}}`;
      return { path, reads: output === undefined ? 'identity' : 'output', key, address, digest: 'sha256:same' };
    });
  return { block: of, provider: 'simulated', fingerprint: {}, replaceFields: [], dependencyValues, ...more };
}

/** A state as an apply of `of` leaves it, unless told otherwise; observed as present without drift. */
export function recorded(
  of: ResolvedBlock,
  state: Partial<ResourceState> = {},
  observation: RecordedResource['observation'] = { status: 'present', drift: [] },
): RecordedResource {
  const { address, kind, name, fields: declared, references } = of;
  const resolved = desired(of).dependencyValues.map(({ key }) => [key, 'sha256:same'] as const);
  return {
    version: 1,
    observation,
    state: {
      address,
      environment,
      kind,
      name,
      provider: 'simulated',
      status: 'ready',
      id: `id-${name}`,
      declared,
      fingerprint: {},
      resolved: Object.fromEntries(resolved),
      outputs: {},
      dependencies: references.filter(({ ordering }) => ordering).map(({ address }) => address),
      root: '/stack',
      operation: 'operation-1',
      createdAt: '2026-11-22T00:00:00.000Z',
      updatedAt: '2026-11-22T00:00:00.000Z',
      ...state,
    },
  };
}

export function inputs(
  desired: readonly DesiredResource[],
  recorded: readonly RecordedResource[] = [],
  more: Partial<PlanInputs> = {},
): PlanInputs {
  const now = '2026-11-22T00:00:00.000Z';
  return {
    id: 'plan-1',
    environment,
    mode: 'apply',
    stackDigest: 'sha256:stack',
    createdAt: now,
    problems: [],
    desired,
    recorded,
    ...more,
  };
}
