import type { Colors } from 'picocolors/types.js';
import { duration } from '../terminal/duration.ts';
import { escapeControls, padEnd, truncate, displayWidth } from '../terminal/text.ts';
import { labelOf, waitsFor, type Progress, type Step } from './progress.ts';

const doing: Readonly<Record<string, string>> = {
  create: 'creating',
  adopt: 'adopting',
  update: 'updating',
  move: 'moving',
  replace: 'replacing',
  delete: 'deleting',
  refresh: 'recording what was found',
};
const did: Readonly<Record<string, string>> = {
  create: 'created',
  adopt: 'adopted',
  update: 'updated',
  move: 'moved',
  replace: 'replaced',
  delete: 'deleted',
  refresh: 'recorded as found',
};
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export interface Look {
  readonly colors: Colors;
  readonly width: number | undefined;
  readonly now: number;
  /** Most lines to show at once; the rest is counted. */
  readonly height?: number;
}

/** The picture of a run at one moment: a line per change, unfinished ones with a spinner or what they wait for. */
export function progressLines(progress: Progress, look: Look): readonly string[] {
  const nameWidth = Math.max(0, ...progress.steps.map(({ change }) => displayWidth(labelOf(change))));
  const shown = visible(progress.steps, look.height ?? Number.POSITIVE_INFINITY);
  const lines = shown.map((step) => stepLine(progress, step, nameWidth, look));
  const hidden = progress.steps.length - shown.length;
  return hidden > 0 ? [...lines, look.colors.dim(`  … and ${hidden} more`)] : lines;
}

/** One line for a step that has just reached another phase; undefined when there is nothing to say. For output without cursor movements. */
export function phaseLine(step: Step, colors: Colors): string | undefined {
  const { change, state } = step;
  const label = labelOf(change);
  switch (state.phase) {
    case 'pending':
      return undefined;
    case 'running':
      return state.note === '' ? `${label}: ${doing[change.action]}` : `${label}: ${escapeControls(state.note)}`;
    case 'done':
      return `${colors.green('✔')} ${label}: ${did[change.action]} in ${duration(state.tookMs)}`;
    case 'failed':
      return `${colors.red('✖')} ${label}: ${escapeControls(state.message)}`;
    case 'skipped':
      return `${colors.yellow('-')} ${label}: ${escapeControls(state.message)}`;
    default:
      return state satisfies never;
  }
}

function stepLine(progress: Progress, step: Step, nameWidth: number, { colors, width, now }: Look): string {
  const { change, state } = step;
  const name = padEnd(labelOf(change), nameWidth);
  const room = Math.max(8, (width ?? 200) - 1);
  const compose = (mark: string, words: string, paint: (text: string) => string): string => {
    const text = truncate(`${name}  ${escapeControls(words)}`, room - 2);
    return `${paint(mark)} ${text.slice(0, nameWidth)}${colors.dim(text.slice(nameWidth))}`;
  };
  switch (state.phase) {
    case 'pending': {
      const [first, ...others] = waitsFor(progress, step);
      const words = first === undefined ? 'queued' : `waits for ${first}${others.length > 0 ? ` and ${others.length} more` : ''}`;
      return compose('·', words, colors.dim);
    }
    case 'running': {
      const spent = Math.max(0, now - state.since);
      const frame = frames[Math.floor(now / 80) % frames.length] ?? '⠋';
      return compose(frame, `${doing[change.action]} ${duration(spent)}${state.note === '' ? '' : `  ${state.note}`}`, colors.cyan);
    }
    case 'done':
      return compose('✔', `${did[change.action]} in ${duration(state.tookMs)}`, colors.green);
    case 'failed':
      return compose('✖', state.message, colors.red);
    case 'skipped':
      return compose('-', state.message, colors.yellow);
    default:
      return state satisfies never;
  }
}

/** On a low terminal: what failed and what runs matters most, then what comes next, then what is done. The order stays. */
function visible(steps: readonly Step[], height: number): readonly Step[] {
  if (steps.length <= height) return steps;
  const rank = { failed: 0, running: 1, pending: 2, skipped: 3, done: 4 };
  const chosen = new Set(
    steps.toSorted((left, right) => rank[left.state.phase] - rank[right.state.phase]).slice(0, Math.max(1, height - 1)),
  );
  return steps.filter((step) => chosen.has(step));
}
