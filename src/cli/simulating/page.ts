import type { Simulated } from '../../simulate/simulate.ts';
import type { Quantiles, Summary } from '../../simulate/summary.ts';
import { duration } from '../terminal/duration.ts';
import { renderFields, renderTable } from '../terminal/table.ts';
import type { Channel } from '../terminal/terminal.ts';
import { escapeControls } from '../terminal/text.ts';

/** One strategy and what was found of it. */
export interface SimulatedStrategy {
  readonly strategy: string;
  /** How it goes, in words. */
  readonly way: string;
  readonly result: Simulated;
}

/** The course of one rollout, then what came of all. */
export function strategyPage({ result, strategy, way }: SimulatedStrategy, channel: Channel): string {
  const { colors } = channel;
  const { example, faulty, falseAlarms, sound, soundAfterMs } = result;
  const lines = example.timeline.map(({ at, what }) => `${duration(at).padStart(9)}  ${escapeControls(what)}`);
  const fields: readonly (readonly [string, string])[] = [
    ['detected', detectedInWords(faulty)],
    ['users exposed', spread(faulty.usersExposed, count)],
    ['failed requests', `${spread(faulty.failedRequests, count)}, of the candidate`],
    ['false alarms', `${falseAlarms.alarms} of ${falseAlarms.runs} without a fault: ${alarmsInWords(falseAlarms)}`],
    [
      'cost',
      `${spread(faulty.instanceMinutes, minutes)} beyond the instances at its beginning; ${minutes(sound.instanceMinutes.p50)} for a sound release`,
    ],
    ...scaledInWords(faulty, sound),
    ['a sound release', soundAfterMs === null ? 'does not come into use within the time' : `is in use after ${duration(soundAfterMs)}`],
  ];
  return [
    `${colors.bold(strategy)}: ${escapeControls(way)}\n`,
    `\n${colors.dim('One rollout, as fast as most')}\n${lines.join('\n')}\n`,
    `\n${colors.dim(`${faulty.runs} rollouts`)}\n${renderFields(fields, colors, { indent: '  ', lineWidth: channel.width() })}`,
  ].join('');
}

/** All strategies side by side. */
export function comparisonPage(all: readonly SimulatedStrategy[], channel: Channel): string {
  const columns = [
    { title: 'strategy' },
    { title: 'detected', align: 'right' },
    { title: 'p50', align: 'right' },
    { title: 'p95', align: 'right' },
    { title: 'users p50', align: 'right' },
    { title: 'p95', align: 'right' },
    { title: 'false alarms', align: 'right' },
    { title: 'cost', align: 'right' },
    { title: 'sound after', align: 'right' },
  ] as const;
  const rows = all.map(({ strategy, result: { faulty, falseAlarms, sound, soundAfterMs } }) => [
    strategy,
    `${faulty.outcomes.taken_back + faulty.outcomes.held} of ${faulty.runs}`,
    after(faulty.detectedAfterMs.p50),
    after(faulty.detectedAfterMs.p95),
    count(faulty.usersExposed.p50),
    count(faulty.usersExposed.p95),
    alarmsInWords(falseAlarms),
    minutes(sound.instanceMinutes.p50),
    soundAfterMs === null ? 'never' : duration(soundAfterMs),
  ]);
  const table = renderTable(columns, rows, { width: channel.width(), colors: channel.colors });
  const ways = all.map(({ strategy, way }) => `${channel.colors.dim(strategy)}  ${escapeControls(way)}\n`);
  return `${table}\n${ways.join('')}`;
}

/** Where load has changed the number of instances in either kind of rollout. */
function scaledInWords(faulty: Summary, sound: Summary): readonly (readonly [string, string])[] {
  const { first, most } = faulty.replicas;
  if (most.p95 === first.p50 && sound.replicas.most.p95 === first.p50) return [];
  return [['scaled', `from ${count(first.p50)} to ${spread(most, count)}; to ${count(sound.replicas.most.p50)} for a sound release`]];
}

function detectedInWords({ outcomes, runs, detectedAfterMs }: Summary): string {
  const detected = outcomes.taken_back + outcomes.held;
  const ways = [
    ...(outcomes.held > 0 ? [`${outcomes.held} held for somebody to look at`] : []),
    ...(outcomes.unfinished > 0 ? [`${outcomes.unfinished} still under way at the end`] : []),
    ...(outcomes.completed > 0 ? [`${outcomes.completed} came into use`] : []),
  ];
  const when = detected === 0 ? '' : `, after ${spread(detectedAfterMs, after)}`;
  return `${detected} of ${runs}${when}${ways.length > 0 ? `; ${ways.join(', ')}` : ''}`;
}

function spread({ p50, p95 }: Quantiles, inWords: (value: number | null) => string): string {
  return `${inWords(p50)} (p50), ${inWords(p95)} (p95)`;
}

function after(milliseconds: number | null): string {
  return milliseconds === null ? 'never' : duration(milliseconds);
}

function count(value: number | null): string {
  return value === null ? '-' : value.toLocaleString('en-US');
}

function minutes(value: number | null): string {
  return value === null ? '-' : `${Number(value.toFixed(1))} instance-minutes`;
}

const percent = (part: number): string => `${Number((100 * part).toFixed(1))} %`;

function alarmsInWords({ share, low, high }: { share: number; low: number; high: number }): string {
  return `${percent(share)} (95 %: ${percent(low)} to ${percent(high)})`;
}
