import type { FlagRolloutView, StartFlagRolloutRequest } from '../../api/schemas/flag-rollout.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { parseDuration } from '../../stack/fields/duration.ts';
import { parseRatio } from '../../stack/fields/ratio.ts';
import { defineCommand } from '../command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { count, flag, holdingEnvironment, reason, stackOption, text } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { showRepeatedly } from '../watching/repeat.ts';
import { environmentOfFlag } from '../watching/selection.ts';

export const command = defineCommand({
  description:
    'Gives a variant of a flag to more and more users, and takes it back by itself when they fare worse than the others: the same evidence as for releases. The service says in its answers which variant which user was served (`x-sluice-attributes: flag.NAME=VARIANT, flag-key=USER`). Without a variant it shows the rollout there is. Setting, killing or clearing the flag by hand ends it.',
  arguments: [
    { name: 'flag', description: 'Name of a flag', required: true },
    { name: 'variant', description: 'The variant that is to be served to everybody in the end' },
  ],
  options: {
    environment: holdingEnvironment,
    service: text('name', 'Whose answers are judged'),
    steps: text('shares', 'Percentages of users, growing; default: 5,25,50'),
    for: text('duration', 'How long each step lasts at least; default: 5m'),
    notice: text('duration', 'How long clients may take to notice a change, uncounted; default: 5s'),
    by: text('attribute', 'What users are told apart by; default: their targeting key'),
    tolerate: text('ratio', 'How many times the rate of errors of the others is tolerated; default: 1.0x'),
    latency: text('ratio', 'Judges the 95th percentile of latency too: how many times the usual one is tolerated'),
    minimum: count('number', 'Users with the variant below which a step does not end; default: 100'),
    stop: flag('Takes it back: users get at once what they got before'),
    watch: flag('Shows it again every second until it has ended', 'w'),
    reason,
    stack: stackOption,
  },
  examples: [
    { command: 'sluice flag rollout answer-with-citations on --service chat', comment: 'to 5, 25, 50 % and then everybody' },
    { command: 'sluice flag rollout answer-with-citations on --service chat --steps 1,10 --for 1h -w', comment: 'slower, and watched' },
    { command: 'sluice flag rollout answer-with-citations', comment: 'how far it is, and why it waits' },
    { command: 'sluice flag rollout answer-with-citations --stop', comment: 'back to what was served before' },
  ],
  exitCodes: { 1: '-w: the variant was taken back', 130: '-w: ended by Ctrl-C; the rollout goes on' },
  run: async ({ terminal, global, arguments: { flag: name, variant }, options }) => {
    const request = variant === undefined ? undefined : requestOf(variant, options);
    if (request !== undefined && options.stop) throw usage('--stop goes without a variant.');
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const place = await environmentOfFlag(client, options.environment, name);
    if (request !== undefined) await client.startFlagRollout(place, name, request);
    if (options.stop) await client.stopFlagRollout(place, name);
    const read = () => client.getFlagRollout(place, name);
    if (options.watch) return showRepeatedly(terminal, read, { json: global.json, render, endOf });
    const view = await read();
    if (global.json) printJson(terminal, view);
    else terminal.out.write(render(view));
    return exitCodes.ok;
  },
});

function requestOf(
  variant: string,
  given: Readonly<Record<'service' | 'steps' | 'for' | 'notice' | 'by' | 'tolerate' | 'latency', string | undefined>> & {
    readonly minimum: number | undefined;
  },
): StartFlagRolloutRequest {
  const { service, steps, by, minimum } = given;
  if (service === undefined) throw usage('Name the service whose answers are judged: --service NAME.');
  const tolerance = ratioOf('--tolerate', given.tolerate);
  const latency = ratioOf('--latency', given.latency);
  const stepMs = durationOf('--for', given.for);
  const noticeMs = durationOf('--notice', given.notice);
  return {
    variant,
    service,
    ...(steps !== undefined && { steps: steps.split(',').map(shareOf) }),
    ...(stepMs !== undefined && { stepMs }),
    ...(noticeMs !== undefined && { noticeMs }),
    ...(by !== undefined && { attribute: by }),
    ...(tolerance !== undefined && { errorTolerance: tolerance }),
    ...(latency !== undefined && { latency: { quantile: 0.95, tolerance: latency } }),
    ...(minimum !== undefined && { minUnits: minimum }),
  };
}

function shareOf(word: string): number {
  const share = Number(word.trim().replace(/%$/, ''));
  if (!/^\d{1,2}(\.\d{1,2})?%?$/.test(word.trim()) || share <= 0) throw usage(`'${word}' in --steps is not a share between 0 and 100.`);
  return share;
}

function durationOf(option: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const duration = parseDuration(given);
  if (duration === undefined) throw usage(`'${given}' in ${option} is not a duration such as 10m.`);
  return duration;
}

function ratioOf(option: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (!/^\d+(\.\d+)?x?$/.test(given)) throw usage(`'${given}' in ${option} is not a ratio such as 1.2x.`);
  return parseRatio(given.endsWith('x') ? given : `${given}x`);
}

function usage(reason: string): Error {
  return sluiceError('usage', { reason, command: 'flag rollout' });
}

function render({
  environment: place,
  flag: name,
  variant,
  percent,
  steps,
  step,
  service,
  by,
  evidence,
  waits,
  outcome,
}: FlagRolloutView): string {
  const where = outcome === undefined ? `step ${step} of ${steps.length + 1}` : outcome;
  const lines = [
    `${place}/flag/${name}: ${variant} to ${percent} % of the users of ${service} (${where}; begun by ${by})`,
    ...evidence.map((line) => `  ${line}`),
    `  ${waits}`,
  ];
  return `${lines.join('\n')}\n`;
}

function endOf({ outcome }: FlagRolloutView): ExitCode | undefined {
  if (outcome === undefined) return undefined;
  return outcome === 'completed' ? exitCodes.ok : exitCodes.error;
}
