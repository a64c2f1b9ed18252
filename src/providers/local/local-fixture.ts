import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../../digest/json.ts';
import { systemClock } from '../../effects/clock.ts';
import { systemRandom } from '../../effects/random.ts';
import { kindSpecs } from '../../stack/kinds/index.ts';
import type { Kind, ResolvedBlock, ResolvedStack } from '../../stack/stack.ts';
import type { DatabaseKeeper } from '../database-keeper.ts';
import type { Applied, CreateRequest, Operation, Provider, UpdateRequest } from '../provider.ts';
import type { ResourceState } from '../resource-state.ts';
import { createLocalPlatform, type LocalPlatform } from './local-provider.ts';

/** For tests: a local provider over a home of its own, and what it takes to ask something of it. */
export interface LocalFixture {
  readonly home: string;
  /** Folder of a stack, beside the home. */
  readonly root: string;
  readonly environment: Record<string, string | undefined>;
  readonly provider: Provider;
  readonly databases: DatabaseKeeper;
  remove(): Promise<void>;
}

/** As a new control plane over the same home would make it. */
export function providerOver(fixture: Pick<LocalFixture, 'home' | 'environment'>): Provider {
  return platformOver(fixture).provider;
}

export function platformOver({ home, environment }: Pick<LocalFixture, 'home' | 'environment'>, clock = systemClock): LocalPlatform {
  return createLocalPlatform({ home, clock, random: systemRandom, environment });
}

export async function localFixture(variables: Readonly<Record<string, string>> = {}): Promise<LocalFixture> {
  const home = await mkdtemp(join(tmpdir(), 'sluice-home-'));
  const root = await mkdtemp(join(tmpdir(), 'sluice-stack-'));
  const environment = { PATH: process.env['PATH'], ...variables };
  const remove = async (): Promise<void> => {
    for (const folder of [home, root]) await rm(folder, { recursive: true, force: true });
  };
  return { home, root, environment, ...platformOver({ home, environment }), remove };
}

/** A block as loading a stack yields it, with the kind's defaults. */
export function blockOf(kind: Kind, fields: JsonObject & { name: string }, environment = 'default'): ResolvedBlock {
  const position = { file: 'stack.yaml', line: 1, column: 1 };
  return {
    kind,
    name: fields.name,
    address: `${environment}/${kind}/${fields.name}`,
    fields: kindSpecs[kind].schema.parse(fields) as JsonObject,
    references: [],
    position,
    positionOf: () => position,
    declares: () => true,
  };
}

export function stackOf(root: string, blocks: readonly ResolvedBlock[]): ResolvedStack {
  const environment = { name: 'default', provider: 'local', fields: {} };
  return { root, files: ['stack.yaml'], environment, environments: ['default'], blocks };
}

export function requestOf(root: string, block: ResolvedBlock): CreateRequest {
  const { address, kind, name, fields } = block;
  const environment = address.split('/')[0] ?? '';
  return { address, environment, kind, name, fields, declared: fields, fingerprint: {}, root, references: new Map() };
}

export function operationOf(id: string, progress: (message: string) => void = () => undefined): Operation {
  return { id, signal: new AbortController().signal, progress };
}

export function stateOf(request: CreateRequest, applied: Applied): ResourceState {
  const { address, environment, kind, name, declared, fingerprint, root } = request;
  const outputs = Object.fromEntries(Object.entries(applied.outputs).map(([output, { value }]) => [output, { value }]));
  const at = '2026-11-22T00:00:00.000Z';
  return {
    address,
    environment,
    kind,
    name,
    declared,
    fingerprint,
    root,
    outputs,
    id: applied.id,
    provider: 'local',
    status: 'ready',
    resolved: {},
    dependencies: [],
    operation: 'test',
    createdAt: at,
    updatedAt: at,
  };
}

export function updateOf(request: CreateRequest, applied: Applied, fields: JsonObject = {}): UpdateRequest {
  const changed = { ...request.fields, ...fields };
  return { ...request, fields: changed, declared: changed, current: stateOf(request, applied) };
}

/** Values of outputs, secret or not. */
export function valuesOf(applied: Applied): JsonObject {
  return Object.fromEntries(Object.entries(applied.outputs).map(([name, { value }]) => [name, value]));
}

/** The same as text, for outputs that are one word or number. */
export function textsOf(applied: Applied): Readonly<Record<string, string>> {
  const texts = Object.entries(valuesOf(applied)).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'number' ? [[name, `${value}`]] : [],
  );
  return Object.fromEntries(texts) as Record<string, string>;
}
