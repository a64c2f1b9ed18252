// npm run simulate -- [--seeds N] [--first K] [--threads T] [--json]      plays N histories
// npm run simulate -- --seed K                                            plays one again and prints everything that happens in it
import { parseArgs } from 'node:util';
import type { Results } from './campaign.ts';
import { playHistory } from './history.ts';
import { playCampaign } from './parallel.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    threads: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    console.error(`simulate: --${name} is a whole number of at least ${least}, not '${text}'`);
    process.exit(2);
  }
  return value;
}

async function replay(seed: number): Promise<boolean> {
  const { trace, violation, digest, tally } = await playHistory(seed, { keepTrace: true });
  console.log(trace.join('\n'));
  console.log(`\nseed ${seed}: ${violation ? `BROKEN ${violation.message}` : 'every promise kept'}`);
  console.log(`digest ${digest}, ${tally.effects} effects, ${tally.crashes} crashes`);
  return violation === undefined;
}

async function explore(first: number, seeds: number): Promise<boolean> {
  const began = performance.now();
  const rate = ({ histories }: Results): number => Math.round((histories * 1_000) / (performance.now() - began));
  let told = began;
  const results = await playCampaign({
    first,
    seeds,
    ...(values.threads !== undefined && { threads: wholeNumber('threads', values.threads, 1) }),
    onProgress: (soFar) => {
      if (values.json || performance.now() - told < 2_000) return;
      told = performance.now();
      console.log(
        `${soFar.histories} of ${seeds} histories, ${rate(soFar)}/s, ${soFar.tally.crashes} crashes, ${soFar.broken.length} broken`,
      );
    },
  });
  const seconds = (performance.now() - began) / 1_000;
  if (values.json) console.log(JSON.stringify({ ...results, seconds }));
  else print(results, seconds, rate(results));
  return results.broken.length === 0;
}

function print({ histories, tally, broken, digest }: Results, seconds: number, rate: number): void {
  console.log(`\n${histories} histories in ${seconds.toFixed(1)} s (${rate}/s), digest ${digest}`);
  for (const [name, count] of Object.entries(tally)) console.log(`  ${name.padEnd(14)} ${String(count).padStart(9)}`);
  console.log(broken.length === 0 ? 'every promise kept' : `${broken.length} histories broke a promise:`);
  for (const { seed, message } of broken.slice(0, 20)) console.log(`  npm run simulate -- --seed ${seed}   # ${message}`);
}

const kept =
  values.seed === undefined
    ? await explore(wholeNumber('first', values.first, 0), wholeNumber('seeds', values.seeds, 1))
    : await replay(wholeNumber('seed', values.seed, 0));
process.exitCode = kept ? 0 : 1;
