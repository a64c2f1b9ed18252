const affinity = 'affinity: { cookie: session }';
const analysis = 'analysis: { error_rate: {}, latency: { quantiles: [0.5, 0.95] }, decisions: { attribute: decision }, min_requests: 100 }';
const experiment = `experiment: { metric: { attribute: outcome, value: resolved, goal: more }, share: 60, for: 1s, min_units: 150, on_winner: promote,
      arms: { warm: { env: { RESOLVES: 0.8 } }, terse: { env: { RESOLVES: 0.29 } } } }`;

/** What every strategy waits for where a candidate makes no progress. */
const deadline = 'progress_deadline: 6s';

/** `slow`: long enough for evidence to be what ends it. `quick`: a sound candidate passes it within seconds. Both hold for a stable release with 20 ms. */
export const strategies = {
  rolling: { slow: `{ strategy: rolling, ${deadline} }` },
  blue_green: { slow: `{ strategy: blue_green, ${deadline}, smoke: { path: /healthz }, keep_previous: 10s }` },
  'blue_green with a judged preview': {
    slow: `{ strategy: blue_green, ${deadline}, smoke: { path: /healthz }, preview: { for: 1s, metrics: [
      { name: preview, command: [node, preview.js, $release, $stable], interval: 2s, timeout: 60s, failures: 0 }] } }`,
  },
  canary: {
    slow: `{ strategy: canary, ${affinity}, ${deadline}, steps: [{ weight: 20, for: 90s }], ${analysis} }`,
    quick: `{ strategy: canary, ${affinity}, steps: [{ weight: 20, for: 2s }, { weight: 50, for: 2s }], ${analysis} }`,
  },
  'canary after copies': {
    slow: `{ strategy: canary, ${affinity}, ${deadline}, steps: [{ mirror: 100, for: 90s }, { weight: 20, for: 90s }], ${analysis} }`,
    quick: `{ strategy: canary, ${affinity}, steps: [{ mirror: 100, for: 2s }, { weight: 50, for: 2s }], ${analysis} }`,
  },
  'canary beside a fresh baseline': {
    slow: `{ strategy: canary, ${affinity}, ${deadline}, steps: [{ weight: 20, for: 90s }], ${analysis}, baseline: true }`,
    quick: `{ strategy: canary, ${affinity}, steps: [{ weight: 20, for: 2s }, { weight: 50, for: 2s }], ${analysis}, baseline: true }`,
  },
  'canary with an experiment': {
    slow: `{ strategy: canary, ${affinity}, ${deadline}, steps: [{ weight: 20, for: 1s }], ${analysis}, ${experiment} }`,
    quick: `{ strategy: canary, ${affinity}, steps: [{ weight: 5, for: 100ms }], ${analysis}, ${experiment} }`,
  },
  auto: {
    slow: `{ strategy: auto, ${affinity}, ${deadline}, steps: [{ weight: 20, for: 90s }], ${analysis} }`,
    quick: `{ strategy: auto, ${affinity}, steps: [{ weight: 20, for: 2s }, { weight: 50, for: 2s }], ${analysis} }`,
  },
} as const;

export type StrategyName = keyof typeof strategies;

/** A user's program that judges a preview: it asks both releases a few hundred times and ends with 1 where the candidate is worse. */
export const previewProgram = (url: string): string => `
import { Agent, request } from 'node:http';
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const ask = (release) => new Promise((resolve, reject) => {
  const begun = performance.now();
  const headers = { host: 'agent.localhost', 'x-sluice-release': release };
  request(${JSON.stringify(url)}, { agent, headers }, (answer) => {
    let text = '';
    answer.on('data', (chunk) => (text += chunk));
    answer.on('end', () => resolve({ ms: performance.now() - begun, failed: answer.statusCode !== 200, escalated: text.includes('"escalate"') }));
  }).once('error', reject).end();
});
const look = async (release) => {
  const seen = await Promise.all(Array.from({ length: 200 }, () => undefined).map(() => ask(release)));
  const share = (what) => seen.filter((each) => each[what]).length / seen.length;
  return { failed: share('failed'), escalated: share('escalated') };
};
const timed = async (release) => {
  const times = [];
  for (let index = 0; index < 60; index += 1) times.push((await ask(release)).ms);
  return times.toSorted((one, other) => one - other)[30];
};
const [candidate, stable] = process.argv.slice(2);
const [mine, theirs] = [await look(candidate), await look(stable)];
const [myMs, theirMs] = [await timed(candidate), await timed(stable)];
agent.destroy();
const worse = [
  mine.failed > theirs.failed + 0.005 && 'errors ' + mine.failed,
  mine.escalated > theirs.escalated + 0.2 && 'escalated ' + mine.escalated,
  myMs > 1.5 * theirMs && 'latency ' + myMs.toFixed(1) + ' ms, not ' + theirMs.toFixed(1),
].filter(Boolean);
console.log(worse.join('; ') || 'as good as stable');
process.exit(worse.length > 0 ? 1 : 0);
`;
