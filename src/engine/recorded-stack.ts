import type { JsonObject } from '../digest/json.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import { outputExpressions } from '../stack/interpolate.ts';
import type { Address, Kind, Reference, ResolvedBlock, ResolvedStack } from '../stack/stack.ts';

/** The stack an environment was last applied from, as far as its state knows it, and the content it had. */
export interface RecordedStack {
  readonly stack: ResolvedStack;
  readonly fingerprints: ReadonlyMap<Address, JsonObject>;
}

const nowhere = { file: 'the recorded state', line: 1, column: 1 };

/** Only finished resources: what a crash or a failure left is for the next apply, which knows what was wanted. */
export function recordedStack(environment: string, states: readonly ResourceState[]): RecordedStack {
  const finished = states.filter(({ status, id, copy }) => status === 'ready' && id !== '' && copy === undefined);
  const [first] = finished;
  const provider = finished.find(({ kind, provider }) => kind !== provider)?.provider ?? first?.provider ?? '';
  const blocks = finished.map(blockOf);
  const settings = { name: environment, provider, fields: {} };
  return {
    stack: { root: first?.root ?? '', files: [], environment: settings, environments: [environment], blocks },
    fingerprints: new Map(finished.map(({ address, fingerprint }) => [address, fingerprint])),
  };
}

function blockOf({ address, environment, kind, name, declared, dependencies }: ResourceState): ResolvedBlock {
  const reads = outputExpressions(declared).map(
    ({ kind, name, output, text }): Reference => ({
      path: text,
      kind,
      name,
      address: `${environment}/${kind}/${name}`,
      output,
      ordering: true,
      position: nowhere,
    }),
  );
  const read = new Set(reads.map((reference) => reference.address));
  const needs = dependencies.flatMap((dependency): Reference[] => {
    const [, otherKind, otherName] = dependency.split('/') as [string, Kind, string];
    return read.has(dependency)
      ? []
      : [{ path: dependency, kind: otherKind, name: otherName, address: dependency, ordering: true, position: nowhere }];
  });
  return {
    kind,
    name,
    address,
    fields: declared,
    references: [...reads, ...needs],
    position: nowhere,
    positionOf: () => nowhere,
    declares: () => true,
  };
}
