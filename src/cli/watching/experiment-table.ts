import type { ServiceView } from '../../api/schemas/service.ts';
import { renderTable } from '../terminal/table.ts';
import type { Channel } from '../terminal/terminal.ts';

type Experiment = NonNullable<NonNullable<ServiceView['rollout']>['experiment']>;
type Arm = Experiment['arms'][number];

/** `more agent.outcome=resolved`, what came of it, and who was withdrawn and why: a line each. */
export function experimentInWords({ metric, outcome, winner, promoted, arms }: Experiment): string {
  const ended = {
    winner: `${winner ?? ''} has won`,
    control: 'every arm is worse than control',
    no_difference: 'no arm is shown to be better than control',
    error: 'the counts are not to be trusted',
  };
  const goes = promoted === undefined ? '' : `; ${promoted} goes on`;
  return [
    `${metric.goal} ${metric.attribute}=${metric.value}: ${outcome === undefined ? 'under way' : ended[outcome]}${goes}`,
    ...arms.flatMap(({ name, withdrawn }) => (withdrawn === undefined ? [] : [`${name} was withdrawn: ${withdrawn}`])),
  ].join('\n');
}

/** Every arm and control: share, users, rate of the metric with its interval beside control, and safety. Ends with a newline. */
export function renderExperiment(
  { arms, control, metric }: Experiment,
  { release, percent, ready }: { readonly release: string; readonly percent: number; readonly ready: number },
  look: { readonly width: number | undefined; readonly colors: Channel['colors'] },
): string {
  const columns = [
    { title: 'arm' },
    { title: 'release' },
    { title: 'requests', align: 'right' },
    { title: 'ready', align: 'right' },
    { title: 'users', align: 'right' },
    { title: metric.value, align: 'right' },
    { title: 'beside control' },
    { title: 'safety' },
  ] as const;
  const rows = arms.map((arm) => [
    arm.name,
    arm.release,
    `${arm.weight} %`,
    String(arm.ready),
    String(arm.units),
    rateOf(arm),
    besideControl(arm),
    arm.withdrawn === undefined ? (arm.safety?.verdict ?? 'nothing counted yet') : 'withdrawn',
  ]);
  return renderTable(
    columns,
    [...rows, ['control', release, `${percent} %`, String(ready), String(control.units), rateOf(control), '', '']],
    look,
  );
}

function rateOf({ units, events }: { readonly units: number; readonly events: number }): string {
  return units === 0 ? '' : `${((100 * events) / units).toFixed(1)} %`;
}

/** `1.04x to 1.2x, better`. */
function besideControl({ besideControl: beside }: Arm): string {
  if (!beside) return '';
  const { low, high, verdict } = beside;
  const ends = [low === undefined ? undefined : times(low), high === undefined ? undefined : times(high)];
  const [from, to] = ends;
  const interval =
    from !== undefined && to !== undefined ? `${from} to ${to}` : from === undefined ? to && `at most ${to}` : `at least ${from}`;
  return `${interval ?? 'unknown'}${verdict === 'open' ? '' : `, ${verdict}`}`;
}

function times(ratio: number): string {
  return `${ratio >= 10 ? Math.round(ratio) : Number(ratio.toPrecision(3))}x`;
}
