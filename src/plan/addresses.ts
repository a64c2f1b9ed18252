import { sluiceError } from '../errors/sluice-error.ts';
import { type Address, kinds } from '../stack/stack.ts';
import { nearestName } from '../stack/suggest.ts';

/** `kind/name` or `environment/kind/name` as an address of this environment. Throws `unknown_address` for anything else. */
export function addressIn(environment: string, text: string): Address {
  const parts = text.split('/');
  const [name = '', kind, place = environment] = parts.toReversed();
  const known = kinds.find((candidate) => candidate === kind);
  if (known === undefined || place !== environment || parts.length > 3 || name === '') {
    const nearest = kind === undefined ? undefined : nearestName(kind, kinds);
    throw sluiceError('unknown_address', { address: text, environment, ...(nearest !== undefined && { nearest: `${nearest}/${name}` }) });
  }
  return `${environment}/${known}/${name}`;
}

/** The same for addresses that have to be among `known`. */
export function knownAddressIn(environment: string, text: string, known: ReadonlySet<Address>): Address {
  const address = addressIn(environment, text);
  if (known.has(address)) return address;
  const local = Array.from(known, (other) => other.slice(environment.length + 1));
  throw sluiceError('unknown_address', { address: text, environment, nearest: nearestName(address.slice(environment.length + 1), local) });
}
