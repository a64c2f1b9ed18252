import { newId } from '../effects/random.ts';
import { copyAddress } from '../plan/copies.ts';
import { placeOf, type ResourceState } from '../providers/resource-state.ts';
import { continues, either, entryFor, failed, newRecord, type Prepared, ready } from './attempt.ts';
import { call } from './call.ts';
import { intentOf, outcomeOf } from './journal.ts';
import { record, recordAll, type RunContext, stateOf } from './run-context.ts';
import type { Telling } from './telling.ts';

/**
 * Makes the new copy of a resource while the old one stays what it is, recorded at an address of its own; once it is ready the two change
 * places in the transaction that records its outcome. Whatever happens before leaves the old copy in use, whatever happens after leaves a
 * record of it, which a change of its own deletes once nothing uses it.
 */
export async function replaceBeside(context: RunContext, prepared: Prepared, telling: Telling): Promise<void> {
  const { provider, request, resolved, dependencies } = prepared;
  const { address, name, declared, fingerprint } = request;
  const current = stateOf(context, address) as ResourceState;
  const aside = copyAddress(current);
  const asideName = aside.slice(aside.lastIndexOf('/') + 1);
  const before = stateOf(context, aside);
  const intent = newRecord(prepared, context.clock.now(), {
    address: aside,
    name: asideName,
    copy: { of: address, role: 'next' },
    status: 'creating',
    dependencies: either(before, dependencies),
    operation: continues(before, declared, fingerprint, resolved) ? before.operation : newId('operation', context.random),
  });
  const entry = entryFor(context, intent, 'create');
  await record(context, aside, intent, [intentOf(entry)], telling.started());
  const { copy: _next, ...made } = intent;
  let next: ResourceState;
  try {
    const applied = await call(context, provider, intent.operation, telling, (operation) =>
      provider.create({ ...request, address: aside }, operation),
    );
    next = ready(context, { ...made, address, name, placedAt: aside, dependencies }, applied);
  } catch (thrown) {
    throw await failed(context, intent, entry, telling, thrown);
  }
  const { placedAt: _place, ...rest } = current;
  const old: ResourceState = { ...rest, address: aside, name: asideName, placedAt: placeOf(current), copy: { of: address, role: 'old' } };
  const states = [[address, next] as const, [aside, old] as const];
  await recordAll(context, states, [outcomeOf(entry)], await telling.finished());
}
