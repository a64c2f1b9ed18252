/** What Prometheus is told of one thing. */
export interface MetricFamily {
  /** Without the ending `_total` of a counter. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** What follows the family's name: `_total`, `_bucket`, `_sum`, `_count` or nothing. */
  readonly ending?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/**
 * The text format of Prometheus (0.0.4), or OpenMetrics 1.0 for whoever accepts it before plain text.
 * https://prometheus.io/docs/instrumenting/exposition_formats/, https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
export function expose(families: readonly MetricFamily[], accept: string | undefined): Exposition {
  const isOpen = prefersOpenMetrics(accept ?? '');
  const body = families.filter(({ samples }) => samples.length > 0).map((family) => linesOf(family, isOpen));
  return isOpen
    ? { contentType: 'application/openmetrics-text; version=1.0.0; charset=utf-8', body: `${body.join('')}# EOF\n` }
    : { contentType: 'text/plain; version=0.0.4; charset=utf-8', body: body.join('') };
}

function prefersOpenMetrics(accept: string): boolean {
  const weightOf = (type: string): number =>
    Math.max(
      0,
      ...accept
        .split(',')
        .filter((part) => part.trim().toLowerCase().startsWith(type))
        .map((part) => Number(/;\s*q=([\d.]+)/.exec(part)?.[1] ?? 1)),
    );
  const open = weightOf('application/openmetrics-text');
  return open > 0 && open >= weightOf('text/plain');
}

function linesOf({ name, type, help, samples }: MetricFamily, isOpen: boolean): string {
  const title = !isOpen && type === 'counter' ? `${name}_total` : name;
  const lines = samples.map(({ ending = '', labels, value }) => `${name}${ending}${labelsOf(labels)} ${numberOf(value)}\n`);
  return `# HELP ${title} ${isOpen ? quoted(help) : escaped(help)}\n# TYPE ${title} ${type}\n${lines.join('')}`;
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${quoted(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escaped(text: string): string {
  return text.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function quoted(text: string): string {
  return escaped(text).replaceAll('"', '\\"');
}

function numberOf(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
