import type { Colors } from 'picocolors/types.js';
import { displayWidth, escapeControls, padEnd, truncate, wrap } from './text.ts';

export interface Column {
  readonly title: string;
  /** Gives up width first when the terminal is narrow. */
  readonly flexible?: boolean;
  /** Where the table is too wide, its text goes on below the row instead of being cut; of several the last one first. Put these last. */
  readonly below?: boolean;
  readonly align?: 'left' | 'right';
  /** Colours a cell after it was measured. */
  readonly paint?: (text: string, colors: Colors) => string;
}

const gap = '  ';
const narrowest = 6;

/**
 * Rows under a header, aligned by display width. Cells may hold anything: control characters are escaped. With a width, lines are cut
 * to it: what may goes below its row, then flexible columns shrink, then every line is truncated.
 */
export function renderTable(
  all: readonly Column[],
  rows: readonly (readonly string[])[],
  look: { width?: number | undefined; colors: Colors },
): string {
  const text = rows.map((row) => all.map((_, index) => escapeControls(row[index] ?? '')));
  const natural = all.map(({ title }, index) => Math.max(displayWidth(title), ...text.map((row) => displayWidth(row[index] ?? ''))));
  const { shown, below } = parted(all, shownColumns(all, rows, look.width), natural, look.width);
  const columns = shown.map((index) => all[index] as Column);
  const safe = text.map((row) => shown.map((index) => row[index] ?? ''));
  const widths = fit(
    columns,
    shown.map((index) => natural[index] ?? 0),
    look.width,
  );
  const header = line(
    columns.map((column) => column.title.toUpperCase()),
    columns,
    widths,
    (text) => look.colors.dim(text),
  );
  const body = safe.flatMap((row, index) => {
    const further = below.map((column): [Column, string] => [all[column] as Column, text[index]?.[column] ?? '']);
    const first = line(row, columns, widths, (cell, column) => column.paint?.(cell, look.colors) ?? cell);
    return [first].concat(linesBelow(further, look));
  });
  return `${[header, ...body].join('\n')}\n`;
}

/** Indexes of the columns to show: on a terminal, those of which no row has anything to say only take room away. */
function shownColumns(columns: readonly Column[], rows: readonly (readonly string[])[], width: number | undefined): readonly number[] {
  const indexes = columns.map((_, index) => index);
  return width === undefined ? indexes : indexes.filter((index) => columns[index]?.flexible !== true || rows.some((row) => row[index]));
}

/** Which columns stay in the table, and which go below each row because there is no room for them. */
function parted(
  all: readonly Column[],
  indexes: readonly number[],
  natural: readonly number[],
  width = Number.POSITIVE_INFINITY,
): { readonly shown: readonly number[]; readonly below: readonly number[] } {
  const needed = indexes.reduce((sum, index) => sum + (natural[index] ?? 0), gap.length * (indexes.length - 1));
  const last = needed > width ? indexes.findLast((index) => all[index]?.below === true) : undefined;
  if (last === undefined) return { shown: indexes, below: [] };
  const { shown, below } = parted(
    all,
    indexes.filter((index) => index !== last),
    natural,
    width,
  );
  return { shown, below: [...below, last] };
}

/** `  title  text`, going on below at the same place; nothing for an empty text. */
function linesBelow(
  cells: readonly (readonly [column: Column, text: string])[],
  { width = 0, colors }: { readonly width?: number | undefined; readonly colors: Colors },
): readonly string[] {
  return cells.flatMap(([{ title, paint }, text]) => {
    if (text === '') return [];
    const indent = `${gap}${' '.repeat(displayWidth(title))}${gap}`;
    const [first = '', ...rest] = wrap(text, Math.max(1, width - indent.length)).map((each) => paint?.(each, colors) ?? each);
    const head = truncate(`${gap}${title}${gap}`, width);
    return [
      `${colors.dim(head)}${width > indent.length ? first : ''}`,
      ...(width > indent.length ? rest.map((each) => indent + each) : []),
    ];
  });
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
