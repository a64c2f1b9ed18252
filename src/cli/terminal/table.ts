import type { Colors } from 'picocolors/types.js';
import { displayWidth, escapeControls, padEnd, truncate, wrap } from './text.ts';

export interface Column {
  readonly title: string;
  /** Gives up width first when the terminal is narrow. */
  readonly flexible?: boolean;
  readonly align?: 'left' | 'right';
  /** Colours a cell after it was measured. */
  readonly paint?: (text: string, colors: Colors) => string;
}

const gap = '  ';
const narrowest = 6;

/**
 * Rows under a header, aligned by display width. Cells may hold anything: control characters are escaped. With a width, lines are cut
 * to it: flexible columns shrink first, then every line is truncated.
 */
export function renderTable(
  all: readonly Column[],
  rows: readonly (readonly string[])[],
  look: { width?: number | undefined; colors: Colors },
): string {
  const shown = shownColumns(all, rows, look.width);
  const columns = shown.map((index) => all[index] as Column);
  const safe = rows.map((row) => shown.map((index) => escapeControls(row[index] ?? '')));
  const natural = columns.map((column, index) =>
    Math.max(displayWidth(column.title), ...safe.map((row) => displayWidth(row[index] ?? ''))),
  );
  const widths = fit(columns, natural, look.width);
  const header = line(
    columns.map((column) => column.title.toUpperCase()),
    columns,
    widths,
    (text) => look.colors.dim(text),
  );
  const body = safe.map((row) => line(row, columns, widths, (text, column) => column.paint?.(text, look.colors) ?? text));
  return `${[header, ...body].join('\n')}\n`;
}

/** Indexes of the columns to show: on a terminal, those of which no row has anything to say only take room away. */
function shownColumns(columns: readonly Column[], rows: readonly (readonly string[])[], width: number | undefined): readonly number[] {
  const indexes = columns.map((_, index) => index);
  return width === undefined ? indexes : indexes.filter((index) => columns[index]?.flexible !== true || rows.some((row) => row[index]));
}

function line(
  cells: readonly string[],
  columns: readonly Column[],
  widths: readonly number[],
  paint: (text: string, column: Column) => string,
): string {
  let last = columns.length - 1;
  while (last > 0 && (widths[last] ?? 0) === 0) last -= 1;
  return columns
    .slice(0, last + 1)
    .map((column, index) => {
      const width = widths[index] ?? 0;
      const text = truncate(cells[index] ?? '', width);
      const padding = ' '.repeat(Math.max(0, width - displayWidth(text)));
      if (column.align === 'right') return padding + paint(text, column);
      return index === last ? paint(text, column) : paint(text, column) + padding;
    })
    .join(gap)
    .trimEnd();
}

/** Column widths whose sum fits; columns that no longer fit at all get width 0. */
function fit(columns: readonly Column[], natural: readonly number[], width: number | undefined): readonly number[] {
  if (width === undefined) return natural;
  const widths = [...natural];
  const total = (): number => widths.reduce((sum, value) => sum + value, 0) + gap.length * (widths.length - 1);
  for (const shrinkable of [columns.map((column) => column.flexible === true), columns.map(() => true)]) {
    while (total() > width) {
      const widest = widths.reduce(
        (best, value, index) =>
          shrinkable[index] && value > narrowest && value > (widths[best] ?? 0) * (shrinkable[best] ? 1 : 0) ? index : best,
        shrinkable.indexOf(true),
      );
      if (widest < 0 || (widths[widest] ?? 0) <= narrowest) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  }
  let left = width;
  return widths.map((value) => {
    const given = Math.max(0, Math.min(value, left));
    left -= given + gap.length;
    return given;
  });
}

/** `name  value` lines with the names padded to one width. Values may span lines; with a width, a longer line goes on below. */
export function renderFields(
  fields: readonly (readonly [name: string, value: string])[],
  colors: Colors,
  { indent = '', lineWidth = Number.POSITIVE_INFINITY }: { indent?: string; lineWidth?: number | undefined } = {},
): string {
  const width = Math.max(0, ...fields.map(([name]) => displayWidth(name)));
  return fields
    .map(([name, value]) => {
      const [first = '', ...rest] = value
        .split('\n')
        .flatMap((text) => wrap(escapeControls(text), Math.max(1, lineWidth - indent.length - width - gap.length)));
      const margin = `\n${indent}${' '.repeat(width)}${gap}`;
      return `${indent}${colors.dim(padEnd(name, width))}${gap}${[first, ...rest].join(margin)}`.trimEnd();
    })
    .map((text) => `${text}\n`)
    .join('');
}
