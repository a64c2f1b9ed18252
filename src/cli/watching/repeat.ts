import { systemClock } from '../../effects/clock.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { createLiveArea } from '../progress/live-area.ts';
import { withInterrupts } from '../terminal/interrupts.ts';
import { printJsonLine } from '../terminal/json.ts';
import type { Terminal } from '../terminal/terminal.ts';

const refreshMs = 1_000;

/** Reads and shows every second until Ctrl-C, or until there is nothing more to watch: in place on a terminal, one after the other elsewhere, one JSON document a line on demand. */
export async function showRepeatedly<Report>(
  terminal: Terminal,
  read: () => Promise<Report>,
  look: {
    readonly json: boolean;
    readonly render: (report: Report) => string;
    /** Exit code once there is nothing more to watch. */
    readonly endOf?: (report: Report) => ExitCode | undefined;
  },
): Promise<ExitCode> {
  let report = await read();
  const live = terminal.out.live && !look.json;
  const area = live ? createLiveArea(terminal.out, (height) => look.render(report).trimEnd().split('\n').slice(0, height)) : undefined;
  return withInterrupts(async ({ first }) => {
    try {
      while (!first.aborted) {
        if (look.json) printJsonLine(terminal, report);
        else if (!area) terminal.out.write(`${look.render(report)}\n`);
        const end = look.endOf?.(report);
        if (end !== undefined) return end;
        await systemClock.sleep(refreshMs, first).catch(() => undefined);
        if (!first.aborted) report = await read();
      }
    } finally {
      area?.end();
    }
    return exitCodes.interrupted;
  });
}
