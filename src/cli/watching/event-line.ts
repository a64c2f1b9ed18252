import type { SluiceEvent } from '../../telemetry/events.ts';
import type { Channel } from '../terminal/terminal.ts';
import { escapeControls, truncate } from '../terminal/text.ts';

/** `12:03:04 change.finished production/service/x  message`, on one line. Local time; the full timestamp is in --json. */
export function eventLine(event: SluiceEvent, channel: Pick<Channel, 'colors' | 'width'>): string {
  const { colors } = channel;
  const at = new Date(event.time);
  const time = Number.isNaN(at.getTime()) ? '--:--:--' : at.toTimeString().slice(0, 8);
  const subject = event.address ?? event.environment ?? '';
  const head = `${time} ${event.type.padEnd(22)} `;
  const words = `${subject === '' ? '' : `${escapeControls(subject)}  `}${escapeControls(event.message)}`;
  const width = channel.width();
  const text = width === undefined ? words : truncate(words, Math.max(10, width - head.length - 1));
  const paint = { info: (line: string) => line, warning: colors.yellow, error: colors.red }[event.level];
  return `${colors.dim(head)}${paint(text)}`;
}
