import type { Client } from '../../api/client.ts';
import type { Run } from '../../api/schemas/run.ts';
import { toSluiceError } from '../../errors/sluice-error.ts';
import type { Plan } from '../../plan/plan.ts';
import { watchProgress } from '../progress/watch.ts';
import { withInterrupts, type Interrupts } from '../terminal/interrupts.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** `cancelled` by the first Ctrl-C, `left` to go on in the background by the second. `lastEvent` is the last that was shown. */
export type CarriedOut =
  | { readonly end: 'finished' | 'cancelled'; readonly run: Run; readonly lastEvent: number }
  | { readonly end: 'left'; readonly id: string };

/** What the first Ctrl-C does: the run is cancelled, or goes on by itself. */
export type OnInterrupt = 'cancel' | 'leave';

/** Starts a run of the plan and shows how it goes until it is over or has been left. */
export function carryOut(
  plan: Plan,
  client: Client,
  terminal: Terminal,
  start: () => Promise<Run>,
  onInterrupt: OnInterrupt = 'cancel',
): Promise<CarriedOut> {
  return withInterrupts(({ first, second }) => {
    // Nothing is asked to end: the first Ctrl-C leaves at once.
    const interrupts = onInterrupt === 'leave' ? { first: new AbortController().signal, second: first } : { first, second };
    return carryOutUnder(interrupts, plan, client, terminal, start);
  });
}

async function carryOutUnder(
  interrupts: Interrupts,
  plan: Plan,
  client: Client,
  terminal: Terminal,
  start: () => Promise<Run>,
): Promise<CarriedOut> {
  const { id } = await start();
  const view = watchProgress(plan, terminal.err);
  let lastEvent = 0;
  const cancel = (): void => {
    view.say(terminal.err.colors.yellow('Cancelling: nothing more is started, what is done stays done. Ctrl-C again leaves at once.'));
    const told = client.cancelRun(id).then((run) => {
      const line = underWay(run);
      if (line !== undefined) view.say(terminal.err.colors.yellow(line));
    });
    told.catch((thrown: unknown) => view.say(`The run could not be cancelled: ${toSluiceError(thrown).message}`));
  };
  interrupts.first.addEventListener('abort', cancel, { once: true });
  try {
    const run = await client.waitForRun(id, {
      onEvent: (event) => {
        lastEvent = event.sequence;
        view.show(event);
      },
      signal: interrupts.second,
    });
    return { end: interrupts.first.aborted ? 'cancelled' : 'finished', run, lastEvent };
  } catch (thrown) {
    if (!interrupts.second.aborted) throw thrown;
    return { end: 'left', id };
  } finally {
    interrupts.first.removeEventListener('abort', cancel);
    view.end();
  }
}

/** What a cancelled run still has to finish; undefined when nothing is under way. */
function underWay({ changes }: Run): string | undefined {
  const names = changes.filter(({ status }) => status === 'running').map(({ address }) => address.split('/').slice(1).join('/'));
  if (names.length === 0) return undefined;
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return `Finishing what is under way: ${names.slice(0, 5).join(', ')}${more}.`;
}
