import { jsonEquals, type Json } from '../../digest/json.ts';
import type { DesiredService } from '../desired-state.ts';
import { originOf } from '../experiment/arms.ts';
import { revisionOf, type ServiceState, targetGeneration } from '../service-state.ts';
import { type Witness, watching } from './witness.ts';
import type { Watch } from './world.ts';

/** 5: what is declared is what one apply wanted, whole, however many there were; and what was asked for once is done once, if it is remembered at all. */
export function applyWatch({ check, asks, declared }: Witness): Watch {
  return watching({
    stored(before, after) {
      if (!after) return;
      noteAsked(before, after);
      if (before) checkReturned(before, after);
      const desired = declared.get(after.operation);
      if (!desired || before?.operation === after.operation) return;
      const isWhole = jsonEquals(after.settings as unknown as Json, desired.settings as unknown as Json);
      check(isWhole, `5: ${after.operation} was applied with settings of another`);
      const isItsSize = desired.settings.scaling !== undefined || after.replicas === desired.replicas;
      check(isItsSize, `5: ${after.operation} wants ${desired.replicas} instances, not ${after.replicas}`);
      check(isItsRelease(after, desired), `5: ${after.operation} is there without its release ${desired.revision.release}`);
    },
  });

  /** A return under a key is done by the very write that remembers the key: whoever hears nothing of it may rely on that. */
  function checkReturned(before: ServiceState, after: ServiceState): void {
    const reached = revisionOf(after, targetGeneration(after))?.release;
    for (const { by, key, action } of after.asked ?? []) {
      if (before.asked?.some((asked) => asked.by === by && asked.key === key)) continue;
      const { type, to } = action as unknown as { readonly type: string; readonly to?: string };
      if (type !== 'rollback' || to === undefined) continue;
      check(reached === to, `5: ${key} was remembered as a return to ${to}, and ${reached ?? 'nothing'} is on its way`);
    }
  }

  function noteAsked(before: ServiceState | undefined, after: ServiceState): void {
    const ask = asks.current();
    if (!ask || (before && jsonEquals(before as unknown as Json, after as unknown as Json))) return;
    ask.writes += 1;
    check(ask.writes <= ask.most, `6: what was asked for at most ${ask.most} times was done ${ask.writes} times`);
  }
}

function isItsRelease(state: ServiceState, { revision }: DesiredService): boolean {
  const { candidate, stable, failure, chosen } = state;
  const target = candidate ? originOf(candidate) : stable;
  if (revisionOf(state, target)?.release === revision.release) return true;
  // The very one that was taken back, asked for again by the same apply; or an arm that has taken its place.
  return candidate === undefined && (failure?.release === revision.release || chosen?.of === revision.release);
}
