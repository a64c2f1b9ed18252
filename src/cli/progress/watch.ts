import type { Plan } from '../../plan/plan.ts';
import type { SluiceEvent } from '../../telemetry/events.ts';
import { systemClock, type Clock } from '../../effects/clock.ts';
import type { Channel } from '../terminal/terminal.ts';
import { createLiveArea } from './live-area.ts';
import { phaseLine, progressLines } from './lines.ts';
import { advance, startOfProgress, type Progress } from './progress.ts';

/** Shows a run while it goes on: a live picture on a terminal, a line per event elsewhere. */
export interface ProgressView {
  show(event: SluiceEvent): void;
  /** A line that stands among the progress. */
  say(text: string): void;
  /** Leaves the last picture standing and stops drawing. */
  end(): Progress;
}

export function watchProgress(plan: Pick<Plan, 'changes'>, channel: Channel, clock: Clock = systemClock): ProgressView {
  let progress = startOfProgress(plan);
  if (!channel.live) {
    return {
      show: (event) => {
        const before = progress;
        progress = advance(progress, event);
        const changed = progress.steps.find((step, index) => step !== before.steps[index]);
        const line = changed && phaseLine(changed, channel.colors);
        if (line !== undefined) channel.write(`${line}\n`);
      },
      say: (text) => channel.write(`${text}\n`),
      end: () => progress,
    };
  }
  const area = createLiveArea(channel, (height) =>
    progressLines(progress, { colors: channel.colors, width: channel.width(), now: clock.now(), ...(height !== undefined && { height }) }),
  );
  return {
    show: (event) => {
      progress = advance(progress, event);
      area.draw();
    },
    say: (text) => area.print(text),
    end: () => {
      area.end();
      return progress;
    },
  };
}
