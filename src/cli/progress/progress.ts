import type { Change, Plan } from '../../plan/plan.ts';
import type { SluiceEvent } from '../../telemetry/events.ts';

/** Where each change of a run is. Times are milliseconds of `Clock.now`. */
export interface Progress {
  readonly steps: readonly Step[];
}

export interface Step {
  readonly change: Change;
  readonly state: StepState;
}

type StepState =
  | { readonly phase: 'pending' }
  | { readonly phase: 'running'; readonly since: number; readonly note: string }
  | { readonly phase: 'done'; readonly tookMs: number }
  | { readonly phase: 'failed'; readonly tookMs: number; readonly message: string }
  | { readonly phase: 'skipped'; readonly message: string };

export function startOfProgress(plan: Pick<Plan, 'changes'>): Progress {
  const changes = plan.changes.filter(({ action }) => action !== 'none');
  return { steps: changes.map((change) => ({ change, state: { phase: 'pending' } })) };
}

/** The progress after an event. Events of other resources and of other types change nothing. */
export function advance(progress: Progress, event: SluiceEvent): Progress {
  const index = progress.steps.findIndex(({ change }) => change.address === event.address);
  const step = progress.steps[index];
  if (step === undefined) return progress;
  const state = stateAfter(step.state, event, labelOf(step.change));
  return state === step.state ? progress : { steps: progress.steps.with(index, { ...step, state }) };
}

function stateAfter(state: StepState, event: SluiceEvent, label: string): StepState {
  const at = Date.parse(event.time);
  const tookMs = state.phase === 'running' ? Math.max(0, at - state.since) : 0;
  if (event.type === 'change.started') return { phase: 'running', since: at, note: '' };
  if (event.type === 'change.finished') return { phase: 'done', tookMs };
  if (event.type === 'change.failed') return { phase: 'failed', tookMs, message: told(event, label) };
  if (event.type === 'change.skipped') return { phase: 'skipped', message: told(event, label) };
  // Whatever else is said about a resource while it changes: an instance that starts, a database that is initialised.
  return state.phase === 'running' ? { ...state, note: event.message } : state;
}

/** What is said of a resource, for a line that begins with its label: without it, and without the output that follows (it stands at the end of the run). */
function told({ message }: SluiceEvent, label: string): string {
  const [line = ''] = message.split('\n');
  return line.startsWith(`${label}: `) || line.startsWith(`${label} `) ? line.slice(label.length).replace(/^:? /, '') : line;
}

/** Names (`kind/name`) of the unfinished changes a pending step waits for, of which the running ones first. */
export function waitsFor(progress: Progress, step: Step): readonly string[] {
  const unfinished = progress.steps.filter(
    ({ change, state }) => step.change.after.includes(change.address) && (state.phase === 'pending' || state.phase === 'running'),
  );
  return unfinished
    .toSorted((left, right) => Number(right.state.phase === 'running') - Number(left.state.phase === 'running'))
    .map(({ change }) => labelOf(change));
}

export function labelOf(change: Pick<Change, 'kind' | 'name'>): string {
  return `${change.kind}/${change.name}`;
}
