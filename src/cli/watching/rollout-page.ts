import type { Client } from '../../api/client.ts';
import type { RolloutRecordView } from '../../api/schemas/rollout.ts';
import type { ServiceView } from '../../api/schemas/service.ts';
import { age, duration } from '../terminal/duration.ts';
import { renderFields, renderTable } from '../terminal/table.ts';
import type { Channel } from '../terminal/terminal.ts';
import { experimentInWords, renderExperiment } from './experiment-table.ts';
import { instanceColumns, instanceRow } from './service-tables.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

export interface RolloutReport {
  readonly service: ServiceView;
  /** The rollout under way, else the last one; absent before the first. */
  readonly latest?: RolloutRecordView;
}

type Look = Pick<Channel, 'colors' | 'width'>;

export async function readRollout(client: Client, environment: string, name: string): Promise<RolloutReport> {
  const [service, [latest]] = await Promise.all([client.getService(environment, name), client.listRollouts(environment, name)]);
  return { service, ...(latest && { latest }) };
}

/** How a rollout that was watched has ended; undefined while it is under way. */
export function endOf({ service, latest }: RolloutReport): ExitCode | undefined {
  if (service.rollout) return undefined;
  return latest?.outcome === 'failed' ? exitCodes.error : exitCodes.ok;
}

/** Weights, instances by release, the stage, what it waits for and why, and the evidence in words. Ends with a newline. */
export function renderRollout({ service, latest }: RolloutReport, { colors, width }: Look, now: number): string {
  const { rollout, release, previous, failure } = service;
  const fields: [string, string][] = [['service', service.address]];
  if (rollout) {
    const { stages, copies, baseline, by, why, paused, waits } = rollout;
    const who = by === undefined ? '' : ` by ${by}${why === undefined ? '' : ` (${why})`}`;
    fields.push(
      ['candidate', `${rollout.version} ${rollout.release}, ${rollout.strategy}, for ${age(rollout.startedAt, now)}${who}`],
      ['stable', release === undefined ? 'none yet' : `${service.version} ${release}`],
    );
    if (rollout.because !== undefined) fields.push(['chosen', rollout.because]);
    if (stages) fields.push(['stage', `${stages.current} of ${stages.steps.length}: ${stepsInWords(stages)}`]);
    if (copies) fields.push(['copies', `${copies.percent} % of the requests (${copies.methods.join(', ')}); nobody gets its answers`]);
    if (baseline) fields.push(['compared with', `${freshInWords(baseline)} of stable`]);
    if (service.preview !== undefined) fields.push(['preview', service.preview]);
    if (paused) fields.push([waits.for === 'resume' ? 'paused' : 'held', `for ${age(paused.since, now)}`]);
    if (rollout.hooks) fields.push(['hooks', rollout.hooks.map(hookInWords).join('\n')]);
    if (rollout.experiment) fields.push(['experiment', experimentInWords(rollout.experiment)]);
    fields.push(['waits for', waitInWords(waits, now)]);
    fields.push([
      'evidence',
      rollout.evidence.length > 0 ? rollout.evidence.join('\n') : 'none is asked for, or nothing has been counted yet',
    ]);
  } else {
    fields.push(['stable', release === undefined ? 'none yet' : `${service.version} ${release}`]);
    fields.push(['rollout', 'none under way']);
    if (latest) fields.push(['last', recordInWords(latest, now)]);
    if (latest?.experiment) fields.push(['experiment', latest.experiment.words.join('\n')]);
    if (failure) fields.push(['taken back', failureInWords(failure)]);
    if (previous)
      fields.push(['kept ready', `${previous.release} for ${left(previous.until, now)} more: \`sluice rollout rollback ${service.name}\``]);
  }
  const look = { width: width(), colors };
  const roles = service.weights.map(({ release: each, percent, ready, baseline }) => [
    each,
    baseline ? 'baseline' : roleOf(each, service),
    `${percent} %`,
    String(ready),
  ]);
  const columns = [
    { title: 'release' },
    { title: 'role' },
    { title: 'requests', align: 'right' },
    { title: 'ready', align: 'right' },
  ] as const;
  return [
    renderFields(fields, colors, { lineWidth: width() }),
    ...(roles.length > 0 ? [renderTable(columns, roles, look)] : []),
    ...(rollout?.experiment && rollout.experiment.promoted === undefined
      ? [renderExperiment(rollout.experiment, service.weights.find((each) => each.release === release) ?? noControl, look)]
      : []),
    renderTable(
      instanceColumns,
      service.instances.map((instance) => instanceRow(instance, now)),
      look,
    ),
  ].join('\n');
}

export function renderHistory(records: readonly RolloutRecordView[], { colors, width }: Look, now: number): string {
  const columns = [
    { title: 'began' },
    { title: 'release' },
    { title: 'version' },
    { title: 'strategy' },
    { title: 'outcome' },
    { title: 'took', align: 'right' },
    { title: 'by', flexible: true },
    { title: 'why', flexible: true, below: true },
  ] as const;
  const rows = records.map((record) => [
    `${age(record.startedAt, now)} ago`,
    record.release,
    record.version,
    record.strategy,
    `${record.outcome ?? 'under way'}${record.experiment?.promoted === undefined ? '' : `, arm ${record.experiment.promoted}`}`,
    record.endedAt === undefined ? '' : duration(Date.parse(record.endedAt) - Date.parse(record.startedAt)),
    record.by ?? '',
    [record.reason ?? record.why, record.because, ...numbersOf(record)].filter((part) => part !== undefined).join('; '),
  ]);
  return renderTable(columns, rows, { width: width(), colors });
}

/** What the evidence was in the end, where the reason does not say it already. The last line says what follows from the others. */
function numbersOf({ evidence = [], reason = '' }: RolloutRecordView): readonly string[] {
  return evidence.slice(0, -1).filter((line) => !reason.includes(line.split(' (')[0] ?? line));
}

const noControl = { release: '', percent: 0, ready: 0 };

function roleOf(each: string, { release, rollout, previous }: ServiceView): string {
  const arm = rollout?.experiment?.arms.find((one) => one.release === each);
  const isOut = arm?.withdrawn !== undefined || (rollout?.experiment?.promoted !== undefined && each !== rollout.release);
  if (arm && each !== release) return isOut ? 'leaving' : arm.name === 'candidate' ? 'candidate' : `arm ${arm.name}`;
  return each === rollout?.release ? 'candidate' : each === release ? 'stable' : each === previous?.release ? 'kept ready' : 'leaving';
}

/** A reason that repeats what the evidence says in its lines gives way to these. */
function failureInWords({ release, reason, evidence }: NonNullable<ServiceView['failure']>): string {
  const verdict = evidence.at(-1);
  const isRepeated = verdict !== undefined && reason.startsWith(`${verdict}: `);
  return [`${release}: ${isRepeated ? verdict : reason}`, ...(isRepeated ? evidence.slice(0, -1) : evidence)].join('\n');
}

function recordInWords({ release, outcome, startedAt, endedAt, by }: RolloutRecordView, now: number): string {
  const took = endedAt === undefined ? '' : ` after ${duration(Date.parse(endedAt) - Date.parse(startedAt))}`;
  const since = endedAt === undefined ? '' : `, ${age(endedAt, now)} ago`;
  return `${release} ${outcome ?? 'under way'}${took}${by === undefined ? '' : `, begun by ${by}`}${since}`;
}

/** `copies of 100 > 5 > [25] > 50 > 100 %`. */
function stepsInWords({ current, steps }: NonNullable<NonNullable<ServiceView['rollout']>['stages']>): string {
  return `${steps.map((step, index) => (index + 1 === current ? `[${stepInWords(step)}]` : stepInWords(step))).join(' > ')} %`;
}

/** Of an experiment, that it is one and what each arm gets. */
function stepInWords({ weight, mirror, experiment }: NonNullable<NonNullable<ServiceView['rollout']>['stages']>['steps'][number]): string {
  const plain = String(Number(weight.toFixed(2)));
  if (mirror) return `copies of ${mirror.percent}`;
  return experiment ? `experiment at ${plain} each` : plain;
}

function freshInWords({ instances, ready }: NonNullable<NonNullable<ServiceView['rollout']>['baseline']>): string {
  const counted = `${instances} fresh instance${instances === 1 ? '' : 's'}`;
  return ready < instances ? `${counted} (${ready} ready)` : counted;
}

function hookInWords({ hook, status, reason }: NonNullable<NonNullable<ServiceView['rollout']>['hooks']>[number]): string {
  return `${hook} ${status === 'due' ? 'is asked' : status}${reason === undefined ? '' : `: ${reason}`}`;
}

function waitInWords({ for: what, message, until }: NonNullable<ServiceView['rollout']>['waits'], now: number): string {
  return until === undefined ? `${what}: ${message}` : `${what}: ${left(until, now)} more`;
}

function left(until: string, now: number): string {
  return duration(Math.max(0, Date.parse(until) - now));
}
