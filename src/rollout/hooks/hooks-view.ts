import { timestamp } from '../../effects/clock.ts';
import type { Course } from '../course-state.ts';
import type { HookRun } from './hook.ts';

/** A hook that a rollout has reached, as people and programs see it. */
export interface HookView {
  /** `stage-2/after/load-test`: its place and its name. */
  readonly hook: string;
  readonly status: HookRun['status'];
  /** RFC 3339. */
  readonly since: string;
  readonly reason?: string;
}

export function hooksView({ hooks }: Course): { readonly hooks?: readonly HookView[] } {
  return hooks ? { hooks: Object.entries(hooks).map(viewOf) } : {};
}

function viewOf([hook, { status, since, reason }]: readonly [string, HookRun]): HookView {
  return { hook, status, since: timestamp(since), ...(reason !== undefined && { reason }) };
}
