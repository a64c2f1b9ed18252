import { jsonEquals, type Json } from '../digest/json.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { ServiceState } from './service-state.ts';

/** Keys of a service that are remembered: older ones are taken for new. */
const mostKeys = 50;

/** Who asks for something, and under which key it may be asked for again. */
export interface Asker {
  readonly by: string;
  readonly why?: string | undefined;
  /** Sent twice, it is done once (the header Idempotency-Key). */
  readonly key?: string | undefined;
}

/**
 * The state after a change that one asker wants once: the same change under the same key leaves everything as it is, whatever has happened
 * since. That it was asked for is part of the state, so no crash can part them. Throws `idempotency_key_reused` for another change. Pure.
 */
export function once(state: ServiceState, { by, key }: Asker, action: object, change: (state: ServiceState) => ServiceState): ServiceState {
  if (key === undefined) return change(state);
  const asked = JSON.parse(JSON.stringify(action)) as Json;
  const known = state.asked?.find((each) => each.key === key && each.by === by);
  if (known) {
    if (!jsonEquals(known.action, asked)) throw sluiceError('idempotency_key_reused', { service: state.address });
    return state;
  }
  const asks = [{ by, key, action: asked }, ...(state.asked ?? [])].slice(0, mostKeys);
  return { ...change(state), asked: asks };
}
