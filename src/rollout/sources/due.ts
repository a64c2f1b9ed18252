import type { SourceSettings } from './source.ts';
import type { SourceState } from './source-state.ts';

/** Whether a source is to be measured now. `since` and `until`: when the stage came into force, and when it has lasted its time. */
export function isDue(
  { intervalMs }: SourceSettings,
  { last }: SourceState,
  { since, until }: { readonly since: number; readonly until: number },
  now: number,
): boolean {
  if (last === undefined || last.at < since) return true;
  // What was measured before its end says nothing of the whole stage.
  return now >= last.at + intervalMs || (now >= until && last.at < until);
}

/** Whether it was measured since the stage had lasted its time. */
export function isOfStage({ last }: SourceState, until: number): boolean {
  return last !== undefined && last.at >= until;
}
