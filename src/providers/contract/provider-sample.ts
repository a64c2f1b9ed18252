import type { JsonObject } from '../../digest/json.ts';
import type { Address, Kind } from '../../stack/stack.ts';
import type { CreateRequest, Provider } from '../provider.ts';

/** One resource the contract suite makes, changes, breaks and removes. */
export interface ProviderSample {
  readonly kind: Kind;
  /** Complete but for `references`: those to earlier samples are filled in from `refersTo`. */
  readonly create: Omit<CreateRequest, 'references'>;
  /** Addresses of earlier samples this one refers to. */
  readonly refersTo?: readonly Address[];
  /** Changed fields, put over those of `create`; they must be changeable in place. Absent for a kind that has none. */
  readonly update?: JsonObject;
  /** Changes the resource behind the provider's back: a read must then say absent or drift, and an update or create must repair it. */
  readonly breakIt?: () => Promise<void>;
}

export interface ProviderUnderTest {
  readonly provider: Provider;
  /** In an order in which they can be created. */
  readonly samples: readonly ProviderSample[];
  dispose(): Promise<void>;
}
