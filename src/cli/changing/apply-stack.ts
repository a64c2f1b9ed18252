import type { Client } from '../../api/client.ts';
import type { Run } from '../../api/schemas/run.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { hasChanges, type Plan } from '../../plan/plan.ts';
import type { GlobalOptions } from '../command.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import type { Connection } from '../target/connect.ts';
import type { StackTarget } from '../target/target.ts';
import { confirm } from '../terminal/confirm.ts';
import { aborted, withInterrupts } from '../terminal/interrupts.ts';
import { note } from '../terminal/note.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { carryOut, type OnInterrupt } from './carry-out.ts';
import { reportRun } from './outcome.ts';
import { makePlan, questionOf, showPlan, type PlanWishes } from './planning.ts';

export interface ApplyWishes extends PlanWishes {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly parallelism?: number | undefined;
  /** What the first Ctrl-C does to the run: `cancel` unless told otherwise. */
  readonly onInterrupt?: OnInterrupt;
}

export interface Applied {
  readonly plan: Plan;
  /** Absent when there was nothing to do, it was a dry run, or the run was left to itself. */
  readonly run?: Run;
  readonly end: 'unchanged' | 'planned' | 'finished' | 'cancelled' | 'left';
  readonly code: ExitCode;
  /** Sequence of the last event that was shown; 0 for none. */
  readonly lastEvent: number;
}

/** Makes a plan and applies it: what `apply`, `destroy`, `import` and `up` have in common. Rejects only while nothing has been changed. */
export async function applyStack(
  { client }: Connection,
  target: StackTarget,
  mode: Plan['mode'],
  wishes: ApplyWishes,
  terminal: Terminal,
  global: GlobalOptions,
): Promise<Applied> {
  return applyPlan(client, await orInterrupt(makePlan(client, target, mode, wishes, terminal.environment)), wishes, terminal, global);
}

/** Shows a plan, asks where a question is due, runs it with live progress and tells the outcome. */
export async function applyPlan(
  client: Client,
  plan: Plan,
  wishes: Pick<ApplyWishes, 'yes' | 'dryRun' | 'parallelism' | 'onInterrupt'>,
  terminal: Terminal,
  global: GlobalOptions,
): Promise<Applied> {
  await showPlan(plan, terminal, global.json);
  if (!hasChanges(plan)) return { plan, end: 'unchanged', code: exitCodes.ok, lastEvent: 0 };
  if (wishes.dryRun) return { plan, end: 'planned', code: exitCodes.changes, lastEvent: 0 };
  const question = questionOf(plan);
  if (question !== undefined) await confirm(terminal, question, wishes.yes);

  const { parallelism } = wishes;
  const start = () => client.applyPlan(plan.id, parallelism === undefined ? {} : { parallelism });
  const carried = await carryOut(plan, client, terminal, start, wishes.onInterrupt);
  if (carried.end === 'left') {
    note(terminal, `The run ${carried.id} goes on in the background; \`sluice events -f\` follows it.`);
    return { plan, end: 'left', code: exitCodes.interrupted, lastEvent: 0 };
  }
  const { run, end, lastEvent } = carried;
  const code = reportRun(run, terminal, global.json ? terminal.err : terminal.out);
  return { plan, run, end, code: end === 'cancelled' ? exitCodes.interrupted : code, lastEvent };
}

/** The value, or `interrupted` as soon as Ctrl-C is pressed. */
function orInterrupt<Value>(value: Promise<Value>): Promise<Value> {
  return withInterrupts(({ first }) => {
    const interrupted = aborted(first).then(() => {
      throw sluiceError('interrupted', { what: 'nothing has been changed.' });
    });
    return Promise.race([value, interrupted]);
  });
}
