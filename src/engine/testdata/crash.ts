import { sluiceError } from '../../errors/sluice-error.ts';
import type { Provider } from '../../providers/provider.ts';
import type { Store } from '../../store/store.ts';

/** A control plane that dies when effect number `at` is due, just before it or just after: from then on whatever it tries is without effect. */
export function crashAt(at: number, moment: 'before' | 'after') {
  let effects = 0;
  let dead = false;
  const ifAlive = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (dead) throw sluiceError('store_closed', {});
    return work();
  };
  const effect = <Result>(work: () => Promise<Result>): Promise<Result> =>
    ifAlive(async () => {
      effects += 1;
      if (effects !== at) return work();
      dead = true;
      if (moment === 'after') await work();
      throw sluiceError('store_closed', {});
    });
  return {
    effects: (): number => effects,
    died: (): boolean => dead,
    store: (store: Store): Store => ({
      get: (...given) => ifAlive(() => store.get(...given)),
      list: (...given) => ifAlive(() => store.list(...given)),
      read: (...given) => ifAlive(() => store.read(...given)),
      last: (...given) => ifAlive(() => store.last(...given)),
      transact: (writes) => effect(() => store.transact(writes)),
      close: () => store.close(),
    }),
    provider: (provider: Provider): Provider => ({
      ...provider,
      read: (state) => ifAlive(() => provider.read(state)),
      create: (...given) => effect(() => provider.create(...given)),
      update: (...given) => effect(() => provider.update(...given)),
      delete: (...given) => effect(() => provider.delete(...given)),
      ...(provider.move && {
        move: (...given: Parameters<NonNullable<Provider['move']>>) => effect(async () => provider.move?.(...given)),
      }),
    }),
  };
}
