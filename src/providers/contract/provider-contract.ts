import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson, type JsonObject } from '../../digest/json.ts';
import type { Address } from '../../stack/stack.ts';
import type { Applied, CreateRequest, Operation } from '../provider.ts';
import type { ResourceState } from '../resource-state.ts';
import type { ProviderSample, ProviderUnderTest } from './provider-sample.ts';

/**
 * What every provider must do. `setup` runs once; each test makes all samples it needs and removes them again, so a provider that
 * leaves something behind fails the next test. Outputs are kept open in the states used here: no vault takes part.
 */
export function describeProviderContract(name: string, setup: () => Promise<ProviderUnderTest>): void {
  describe(`${name} keeps the contract of a provider`, () => {
    let subject: ProviderUnderTest;
    beforeAll(async () => {
      subject = await setup();
    });
    afterAll(async () => {
      await subject?.dispose();
    });

    it('makes one resource for one operation, however often it is asked', async () => {
      await withResources(subject, async (made) => {
        const ids = made.map(({ applied }) => applied.id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const { sample, request, operation, applied } of made) {
          const again = await subject.provider.create(request, operation);
          expect([sample.kind, again.id, outputsText(again)]).toEqual([sample.kind, applied.id, outputsText(applied)]);
        }
      });
    });

    it('reads what it has made as present and without drift, with the outputs it gave', async () => {
      await withResources(subject, async (made) => {
        for (const { sample, state } of made) {
          const observation = await subject.provider.read(state);
          expect([sample.kind, observation]).toEqual([sample.kind, expect.objectContaining({ status: 'present', drift: [] })]);
          // A provider may leave outputs out (secret ones above all); those it names are those it gave.
          const outputs = { ...state.outputs, ...('outputs' in observation && observation.outputs) };
          expect([sample.kind, outputs]).toEqual([sample.kind, state.outputs]);
        }
      });
    });

    it('reads what is gone as absent, deletes it again without complaint, and can make it anew', async () => {
      await withResources(subject, async (made) => {
        for (const { state } of made.toReversed()) await subject.provider.delete(state, newOperation());
        for (const { state } of made) {
          expect([state.kind, await subject.provider.read(state)]).toEqual([state.kind, { status: 'absent' }]);
          await subject.provider.delete(state, newOperation());
        }
        const remade = await createAll(subject);
        for (const { state } of remade) expect(await subject.provider.read(state)).toMatchObject({ status: 'present', drift: [] });
      });
    });

    it('takes over what an unfinished creation left, under a new operation', async () => {
      await withResources(subject, async (made) => {
        for (const { request, state } of made) {
          const applied = await subject.provider.create(request, newOperation());
          expect(await subject.provider.read(stateOf(request, applied, state.operation))).toMatchObject({ status: 'present', drift: [] });
        }
      });
    });

    it('deletes a resource whose creation never answered', async () => {
      await withResources(subject, async (made) => {
        for (const { state } of made.toReversed()) {
          await subject.provider.delete({ ...state, id: '', outputs: {}, status: 'creating' }, newOperation());
        }
        for (const { state } of made) expect([state.kind, await subject.provider.read(state)]).toEqual([state.kind, { status: 'absent' }]);
      });
    });

    it('changes a resource in place, and changes nothing when asked again', async () => {
      await withResources(subject, async (made) => {
        for (const { sample, request, applied, state } of made) {
          const changed = { ...request, ...changedFields(sample), current: state };
          const updated = await subject.provider.update(changed, newOperation());
          expect([sample.kind, updated.id]).toEqual([sample.kind, applied.id]);
          const current = stateOf(changed, updated, state.operation);
          expect(await subject.provider.read(current)).toMatchObject({ status: 'present', drift: [] });
          const again = await subject.provider.update({ ...changed, current }, newOperation());
          expect([sample.kind, again.id, outputsText(again)]).toEqual([sample.kind, updated.id, outputsText(updated)]);
        }
      });
    });

    it('sees a change from outside and repairs it', async () => {
      await withResources(subject, async (made) => {
        for (const { sample, request, state } of made) {
          if (sample.breakIt === undefined) continue;
          await sample.breakIt();
          const broken = await subject.provider.read(state);
          expect([sample.kind, broken.status === 'present' && broken.drift.length === 0]).toEqual([sample.kind, false]);
          const repaired =
            broken.status === 'absent'
              ? await subject.provider.create(request, newOperation())
              : await subject.provider.update({ ...request, current: state }, newOperation());
          expect([sample.kind, await subject.provider.read(stateOf(request, repaired, state.operation))]).toEqual([
            sample.kind,
            expect.objectContaining({ status: 'present', drift: [] }),
          ]);
        }
      });
    });

    it('moves a resource with its identity and outputs, once or twice, and makes another one where it was', async () => {
      const { provider } = subject;
      if (provider.move === undefined) return;
      await withResources(subject, async (made) => {
        for (const { request, state } of made.toReversed()) {
          const moved = movedState(state);
          await provider.move?.(state, moved.address, newOperation());
          await provider.move?.(state, moved.address, newOperation());
          expect([state.kind, await provider.read(state)]).toEqual([state.kind, { status: 'absent' }]);
          expect([state.kind, await provider.read(moved)]).toEqual([state.kind, expect.objectContaining({ status: 'present', drift: [] })]);
          const { address, name, declared } = moved;
          const there = { ...request, address, name, declared, fields: withName(request.fields, name) };
          const updated = await provider.update({ ...there, current: moved }, newOperation());
          expect([state.kind, updated.id, outputsText(updated)]).toEqual([state.kind, state.id, textOf(state.outputs)]);
          await provider.suspend(moved);
          await provider.resume(moved);

          const operation = newOperation();
          const second = await provider.create(request, operation);
          expect([state.kind, second.id === state.id]).toEqual([state.kind, false]);
          const secondState = stateOf(request, second, operation.id);
          expect(await provider.read(secondState)).toMatchObject({ status: 'present', drift: [] });
          await provider.delete(secondState, newOperation());
          expect([state.kind, await provider.read(moved)]).toEqual([state.kind, expect.objectContaining({ status: 'present', drift: [] })]);
          await provider.move?.(moved, state.address, newOperation());
          expect([state.kind, await provider.read(state)]).toEqual([state.kind, expect.objectContaining({ status: 'present', drift: [] })]);
        }
      });
    });

    it('takes over by its id what it has made, and says what it knows when there is no such thing', async () => {
      const { provider } = subject;
      if (provider.import === undefined) return;
      await withResources(subject, async (made) => {
        for (const { request, state } of made) {
          const applied = await provider.import?.({ ...request, id: state.id }, newOperation());
          expect([state.kind, applied?.id, outputsText(applied as Applied)]).toEqual([state.kind, state.id, textOf(state.outputs)]);
          await expect(provider.import?.({ ...request, id: 'nothing-like-it' }, newOperation())).rejects.toMatchObject({
            code: 'import_not_found',
            help: expect.stringContaining(state.id),
          });
        }
      });
    });

    it('keeps identity and outputs over a suspension, and both steps may be repeated', async () => {
      await withResources(subject, async (made) => {
        for (const { state } of [...made, ...made].toReversed()) await subject.provider.suspend(state);
        for (const { state } of [...made, ...made]) await subject.provider.resume(state);
        for (const { state } of made) {
          expect([state.kind, await subject.provider.read(state)]).toEqual([
            state.kind,
            expect.objectContaining({ status: 'present', drift: [] }),
          ]);
        }
      });
    });

    it('bears two copies of what it says can coexist, and keeps the one when the other goes', async () => {
      const twofold = ({ sample }: Made) => {
        const coexistence = subject.provider.coexistence?.(sample.kind);
        return coexistence !== undefined && !coexistence.exclusive.some((path) => sample.create.declared[path] !== undefined);
      };
      await withResources(subject, async (made) => {
        for (const { request, state, sample } of made.filter(twofold)) {
          const [besides, operation] = [{ ...request, address: `${request.address}-2` as Address }, newOperation()];
          const applied = await subject.provider.create(besides, operation);
          const second = stateOf(besides, applied, operation.id);
          expect(applied.id).not.toBe(state.id);
          for (const copy of [state, second]) {
            expect([sample.kind, await subject.provider.read(copy)]).toEqual([sample.kind, expect.objectContaining({ status: 'present' })]);
          }
          await subject.provider.delete(second, newOperation());
          expect([sample.kind, await subject.provider.read(second)]).toEqual([sample.kind, { status: 'absent' }]);
          expect([sample.kind, await subject.provider.read(state)]).toEqual([
            sample.kind,
            expect.objectContaining({ status: 'present', drift: [] }),
          ]);
        }
      });
    });

    it('names only kinds and fields that its samples know as replacing', () => {
      for (const { kind, update } of subject.samples) {
        expect(subject.provider.kinds).toContain(kind);
        const changed = Object.keys(update ?? {});
        expect(subject.provider.replaceFields(kind).filter((path) => changed.includes(path))).toEqual([]);
      }
    });
  });
}

interface Made {
  readonly sample: ProviderSample;
  readonly request: CreateRequest;
  readonly operation: Operation;
  readonly applied: Applied;
  readonly state: ResourceState;
}

async function withResources(subject: ProviderUnderTest, body: (made: readonly Made[]) => Promise<void>): Promise<void> {
  const made = await createAll(subject);
  expect(made.length).toBeGreaterThan(0);
  try {
    await body(made);
  } finally {
    for (const { state } of made.toReversed()) await subject.provider.delete(state, newOperation());
  }
}

async function createAll({ provider, samples }: ProviderUnderTest): Promise<readonly Made[]> {
  const made = new Map<Address, Made>();
  for (const sample of samples) {
    const references = new Map((sample.refersTo ?? []).map((address) => [address, referenceTo(made, address)]));
    const request = { ...sample.create, references };
    const operation = newOperation();
    const applied = await provider.create(request, operation);
    made.set(request.address, { sample, request, operation, applied, state: stateOf(request, applied, operation.id) });
  }
  return [...made.values()];
}

function referenceTo(made: ReadonlyMap<Address, Made>, address: Address) {
  const found = made.get(address);
  if (found === undefined) throw new Error(`the sample ${address} must stand before those that refer to it`);
  const { request, applied } = found;
  const outputs = Object.fromEntries(Object.entries(applied.outputs).map(([name, { value }]) => [name, value]));
  return { address, kind: request.kind, name: request.name, id: applied.id, declared: request.declared, outputs };
}

function changedFields({ create, update }: ProviderSample): { fields: JsonObject; declared: JsonObject } {
  return { fields: { ...create.fields, ...update }, declared: { ...create.declared, ...update } };
}

function stateOf(request: CreateRequest, applied: Applied, operation: string): ResourceState {
  const { address, environment, kind, name, declared, fingerprint, root } = request;
  return {
    address,
    environment,
    kind,
    name,
    declared,
    fingerprint,
    root,
    operation,
    provider: 'under test',
    status: 'ready',
    id: applied.id,
    resolved: {},
    outputs: Object.fromEntries(Object.entries(applied.outputs).map(([name, { value }]) => [name, { value }])),
    dependencies: [...request.references.keys()],
    createdAt: '2026-11-22T00:00:00.000Z',
    updatedAt: '2026-11-22T00:00:00.000Z',
  };
}

/** A network gives its own name as an output: that alone follows a move. */
function outputsText({ outputs }: Applied): string {
  return canonicalJson(
    Object.fromEntries(Object.entries(outputs).flatMap(([name, { value }]) => (name === 'name' ? [] : [[name, value]]))),
  );
}

function textOf(outputs: ResourceState['outputs']): string {
  const open = Object.entries(outputs).flatMap(([name, output]) =>
    'value' in output && name !== 'name' ? [[name, output.value] as const] : [],
  );
  return canonicalJson(Object.fromEntries(open));
}

function movedState(state: ResourceState): ResourceState {
  const name = `${state.name}-moved`;
  return { ...state, name, address: `${state.environment}/${state.kind}/${name}`, declared: withName(state.declared, name) };
}

let operations = 0;
function newOperation(): Operation {
  operations += 1;
  return { id: `operation-${process.pid}-${operations}`, signal: new AbortController().signal, progress: () => {} };
}

function withName(fields: JsonObject, name: string): JsonObject {
  return Object.hasOwn(fields, 'name') ? { ...fields, name } : fields;
}
