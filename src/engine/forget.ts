import { timestamp } from '../effects/clock.ts';
import { newId } from '../effects/random.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { Address } from '../stack/stack.ts';
import { appendJournal, outcomeOf } from './journal.ts';
import type { Lease } from './lease.ts';
import type { EngineDependencies } from './run-context.ts';
import { resourceCollection } from './states.ts';

/** Removes the record of a resource and nothing else, together with the event that tells of it, as the holder of the environment. */
export async function forgetResource(
  { store, events, clock, random, lease }: EngineDependencies & { readonly lease: Lease },
  address: Address,
  actor: { readonly key: string; readonly name: string },
): Promise<void> {
  const document = await store.get(resourceCollection, address);
  if (document === undefined) throw sluiceError('unknown_resource', { address });
  const operation = newId('operation', random);
  const entry = outcomeOf({ operation, run: '', address, action: 'forget', time: timestamp(clock.now()) });
  const [environment = ''] = address.split('/');
  await lease.transact([
    { operation: 'delete', collection: resourceCollection, key: address, ifVersion: document.version },
    appendJournal(entry),
    events.entry({
      type: 'resource.forgotten',
      level: 'warning',
      message: `${address} was forgotten by '${actor.name}'; what it was is left as it is.`,
      environment,
      address,
      data: { by: actor.key, operation },
    }),
  ]);
  events.announce();
}
