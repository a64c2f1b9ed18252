import { sluiceError } from '../../errors/sluice-error.ts';
import type { Fault } from '../../simulate/fault.ts';
import { parseFault } from '../../simulate/fault.ts';
import { comparable, type ComparableStrategy } from '../../simulate/modelled-service.ts';
import { parseSourceAnswer, type SourceAnswer } from '../../simulate/source-answer.ts';
import { parseDuration } from '../../stack/fields/duration.ts';
import { type OptionSpec } from '../command.ts';
import { wholeNumber } from '../options.ts';

const mostUsers = 10_000_000;
const mostPerSecond = 100_000;
const longestMs = 24 * 3_600_000;

export const fault: OptionSpec<Fault> = {
  value: 'fault',
  description:
    'What is wrong with the candidate: error_rate=0.05, latency=2x, decisions=shift (or =0.2), crash (or =30s), never_ready or none; several joined by commas. Default: error_rate=0.05',
  completes: ['error_rate=0.05', 'latency=2x', 'decisions=shift', 'crash', 'never_ready', 'none'],
  fallback: { errorRate: 0.05 },
  parse: (given, previous) => ({ ...(previous === fault.fallback ? {} : previous), ...parseFault(given) }),
};

/** Requests a second. */
export const traffic: OptionSpec<number> = {
  value: 'rate',
  description: 'Requests, such as 50rps or 600/m. Default: 50rps',
  fallback: 50,
  parse: (given) => rateOf('--traffic', given),
};

export const baselineErrors: OptionSpec<number> = {
  value: 'share',
  description: 'Share of the stable release’s answers that fail. Default: 0.005',
  fallback: 0.005,
  parse: (given) => {
    const share = Number(given);
    if (!/^\d+(\.\d+)?$/.test(given) || share >= 1) throw refused('--baseline-errors', given, 'a share from 0 to below 1, such as 0.005');
    return share;
  },
};

/** Requests a second. */
export const capacity: OptionSpec<number | undefined> = {
  value: 'rate',
  description:
    'Requests an instance of the stable release can carry, such as 20rps: with more to do, its answers take longer. Default: with scaling, so much that the instances are used by 60 %; without, no load is too much',
  parse: (given) => rateOf('--capacity', given),
};

/** Milliseconds. */
export const baselineLatency: OptionSpec<number | undefined> = {
  value: 'time',
  description:
    'Half of the stable release’s answers take no longer while its instances have little to do. Default: 250ms; with scaling by latency_p95, so that the target is met with room to spare',
  parse: (given) => {
    const milliseconds = parseDuration(given);
    if (milliseconds === undefined || milliseconds < 1 || milliseconds > 600_000)
      throw refused('--baseline-latency', given, 'a time from 1ms to 10m, such as 80ms');
    return milliseconds;
  },
};

export const sources: OptionSpec<readonly SourceAnswer[]> = {
  value: 'name=answer',
  description:
    'What one of the analysis.metrics says of the candidate: pass, fail, no_data or error, with @30s from then on. They pass unless told otherwise; can be repeated',
  fallback: [],
  parse: (given, previous) => [...(previous ?? []), parseSourceAnswer(given)],
};

/** Milliseconds. */
export const lasting: OptionSpec<number | undefined> = {
  value: 'time',
  description:
    'How long it is looked at: a candidate that nobody takes back is in use until then. Default: twice what the rollout takes, at least 10m',
  parse: (given) => {
    const milliseconds = parseDuration(given);
    if (milliseconds === undefined || milliseconds < 1_000 || milliseconds > longestMs) {
      throw refused('--duration', given, 'a time from 1s to 24h, such as 30m');
    }
    return milliseconds;
  },
};

export const runs = within('--runs', 'number', 'Rollouts with the fault, and as many without. Default: 100', 1, 100_000);
export const replicas = within('--replicas', 'number', 'Instances; default: as the stack declares', 1, 1_000);
export const users = within(
  '--users',
  'number',
  'People the requests come from. Default: as many as there are requests in a minute',
  1,
  mostUsers,
);
export const seed = within('--seed', 'number', 'The same seed gives the same answer. Default: 1', 0, 1_000_000);

export const compare: OptionSpec<readonly ComparableStrategy[] | undefined> = {
  value: 'strategies',
  description: 'Puts strategies side by side: rolling,blue_green,canary. One that is not declared is taken as it is by default',
  completes: [comparable.join(',')],
  parse: (given) => {
    const names = given.split(',').map((name) => name.trim());
    const known = names.map((name) => {
      const strategy = comparable.find((candidate) => candidate === name);
      if (strategy === undefined) throw refused('--compare', given, `a list of ${comparable.join(', ')}; there is no '${name}'`);
      return strategy;
    });
    return [...new Set(known)];
  },
};

function within(option: string, value: string, description: string, least: number, most: number): OptionSpec<number | undefined> {
  return {
    value,
    description,
    parse: (given) => {
      const number = wholeNumber(option, given);
      if (number < least || number > most) throw refused(option, given, `a whole number from ${least} to ${most}`);
      return number;
    },
  };
}

function rateOf(option: string, given: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(rps|\/s|\/m|\/h)$/.exec(given) ?? [];
  const perSecond = Number(amount) / ({ '/m': 60, '/h': 3_600 }[unit ?? ''] ?? 1);
  if (amount === undefined || !(perSecond > 0) || perSecond > mostPerSecond) {
    throw refused(option, given, `a rate of at most ${mostPerSecond} requests a second, such as 50rps, 600/m or 1000/h`);
  }
  return perSecond;
}

function refused(option: string, given: string, wanted: string) {
  return sluiceError('usage', { reason: `${option} '${given}' is not ${wanted}.` });
}
