import { median, table } from '../infrastructure/figures.ts';
import type { Values } from './cases.ts';

export interface Figure {
  readonly proxy: string;
  readonly case: string;
  readonly round: number;
  readonly values: Values;
}

/** Of whom the others' processor time is given in multiples of. */
const yardstick = 'haproxy';

/** Medians over the rounds, a table per case; processor time also in multiples of bare HAProxy's in the same round, lowest to highest. */
export function report(machine: string, notes: readonly string[], figures: readonly Figure[]): string {
  const lines = [machine, ...notes];
  for (const [name, group] of Map.groupBy(figures, (figure) => figure.case)) {
    const columns = Object.keys(group[0]?.values ?? {});
    const hasCpu = columns.includes('cpuUs');
    const rows = [[name, ...columns, ...(hasCpu ? [`x ${yardstick} (lowest to highest)`] : [])]];
    for (const [proxy, own] of Map.groupBy(group, (figure) => figure.proxy)) {
      const cells = columns.map((column) => shown(median(own.map(({ values }) => values[column] ?? Number.NaN))));
      rows.push([proxy, ...cells, ...(hasCpu ? [ratios(own, group)] : [])]);
    }
    lines.push('', table(rows));
  }
  return lines.join('\n');
}

function shown(value: number): string {
  if (Number.isNaN(value)) return '-';
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(value >= 10 ? 1 : 2);
}

function ratios(own: readonly Figure[], group: readonly Figure[]): string {
  const found = own.flatMap(({ round, values }) => {
    const base = group.find((each) => each.round === round && each.proxy === yardstick)?.values['cpuUs'];
    return base === undefined || values['cpuUs'] === undefined ? [] : [values['cpuUs'] / base];
  });
  if (found.length === 0) return '';
  return `${median(found).toFixed(2)} (${Math.min(...found).toFixed(2)} to ${Math.max(...found).toFixed(2)})`;
}
