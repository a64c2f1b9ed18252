import { growthExponent, median, table } from './figures.ts';
import { type Operation, operations } from './tools.ts';

export interface Figure {
  readonly tool: string;
  readonly operation: Operation;
  readonly size: number;
  readonly round: number;
  /** The whole process. */
  readonly seconds: number;
  readonly memoryMb?: number;
  /** What Sluice says of its own: seconds after its modules were loaded, in all and by phase. */
  readonly inside?: { readonly seconds: number; readonly phases: Readonly<Record<string, number>>; readonly memoryMb: number };
}

/** Medians over the rounds, what peers take in times of Sluice in the same round, and how Sluice grows. */
export function report(machine: string, notes: readonly string[], figures: readonly Figure[]): string {
  const rows = [['', 'resources', 'process s', 'phases s (load, plan, apply)', 'peak MB', 'times sluice (lowest to highest)']];
  const groups = Map.groupBy(figures, ({ tool, operation, size }) => `${size} ${operation} ${tool}`);
  for (const group of groups.values()) {
    const { tool, operation, size, inside } = group[0] as Figure;
    const memory = group.flatMap(({ memoryMb, inside: own }) => own?.memoryMb ?? memoryMb ?? []);
    const seconds = median(group.map((figure) => figure.seconds));
    const phases = inside ? ['load', 'plan', 'apply'].map((phase) => phaseOf(group, phase)).join('  ') : '';
    const ratio = tool.startsWith('sluice') ? '' : ratios(group, figures);
    rows.push([`${operation} ${tool}`, String(size), seconds.toFixed(2), phases, memory.length === 0 ? '' : String(median(memory)), ratio]);
  }
  const growth = operations.flatMap((operation) => {
    const points = figures.filter((figure) => figure.tool === 'sluice' && figure.operation === operation && figure.inside);
    const exponent = growthExponent(points.map(({ size, inside }) => ({ size, seconds: inside?.seconds ?? 0 })));
    return exponent === undefined ? [] : [`${operation} ${exponent.toFixed(2)}`];
  });
  const lines = [machine, ...notes, '', table(rows)];
  if (growth.length > 0) lines.push('', `growth of sluice, as the exponent of the number of resources (1 is linear): ${growth.join(', ')}`);
  return lines.join('\n');
}

function phaseOf(group: readonly Figure[], phase: string): string {
  const values = group.flatMap(({ inside }) => inside?.phases[phase] ?? []);
  return values.length === 0 ? '   -' : median(values).toFixed(2);
}

/** Round by round against Sluice in the same round. */
function ratios(group: readonly Figure[], figures: readonly Figure[]): string {
  const found = group.flatMap(({ operation, size, round, seconds }) => {
    const own = figures.find(
      (each) => each.tool === 'sluice' && each.operation === operation && each.size === size && each.round === round,
    );
    return own ? [seconds / own.seconds] : [];
  });
  if (found.length === 0) return '';
  return `${median(found).toFixed(1)} (${Math.min(...found).toFixed(1)} to ${Math.max(...found).toFixed(1)})`;
}
