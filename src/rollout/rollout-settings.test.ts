import { expect, it } from 'vitest';
import { loadStackText } from '../stack/load.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import { rolloutInWords } from './rollout-in-words.ts';
import { rolloutSettings } from './rollout-settings.ts';

const secret = 'secret: { name: prom, value: { env: PROM } }\n';

function load(analysis: string, step = '{ weight: 5, for: 1m }') {
  const rollout = `{ strategy: canary, steps: [${step}], analysis: ${analysis} }`;
  return loadStackText(`${secret}service: { name: a, source: a, command: [node, a.js], version: 1.0.0, rollout: ${rollout} }\n`);
}

function settings(...declared: Parameters<typeof load>) {
  const loaded = load(...declared);
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('\n'));
  const fields = loaded.value.blocks.find(({ kind }) => kind === 'service')?.fields as unknown as ServiceFields;
  return rolloutSettings(fields.rollout);
}

it('compares failed requests and latency where an analysis names nothing to compare', () => {
  const usual = settings('{ error_rate: {}, latency: {} }').analysis;
  expect(usual?.rules).toMatchObject({ errors: { tolerate: 1 }, latency: { quantiles: [0.5, 0.95, 0.99] } });
  expect(settings('{}').analysis).toEqual(usual);
  expect(settings('{ min_requests: 7 }').analysis).toEqual({ ...usual, rules: { ...usual?.rules, minUnits: 7 } });
  expect(settings('{ latency: {} }').analysis?.rules).not.toHaveProperty('errors');
});

it('takes limits, counts and sources as they are declared, with what is left out', () => {
  const { analysis } = settings(`{
    error_rate: { at_most: 2.5% }, latency: { quantiles: [0.5], at_most: { p95: 800ms, p99.9: 2s } },
    counts: [{ name: resolved, attribute: agent.outcome, value: resolved, direction: must_not_fall, tolerate: 1.1x }],
    metrics: [
      { name: tokens, prometheus: { url: "http://127.0.0.1:9090", query: 'tokens{release="$release"}', authorization: "Bearer \${secret.prom}" }, at_most: 100, interval: 1m },
      { name: quality, http: { url: "https://evals.example/$service", value: /score }, at_least: 0.8, failures: 0, errors: 10 },
      { name: check, command: [node, check.js, "$release"], timeout: 1m } ] }`);
  expect(analysis?.rules).toEqual({
    alpha: 0.05,
    errors: { tolerate: 1, negligible: 0.001, atMost: 0.025 },
    latency: {
      quantiles: [0.5],
      limits: [
        { quantile: 0.95, ms: 800 },
        { quantile: 0.999, ms: 2_000 },
      ],
    },
    tallies: [
      { name: 'resolved', attribute: 'agent.outcome', value: 'resolved', direction: 'must_not_fall', tolerate: 1.1, negligible: 0.001 },
    ],
    minUnits: 100,
  });
  const usual = { intervalMs: 30_000, timeoutMs: 10_000, failures: 1, errors: 3 };
  expect(analysis?.sources).toEqual([
    {
      ...usual,
      name: 'tokens',
      ask: {
        type: 'prometheus',
        url: 'http://127.0.0.1:9090',
        query: 'tokens{release="$release"}',
        authorization: 'Bearer ${secret.prom}',
      },
      atMost: 100,
      intervalMs: 60_000,
    },
    {
      ...usual,
      name: 'quality',
      ask: { type: 'http', url: 'https://evals.example/$service', pointer: '/score' },
      atLeast: 0.8,
      failures: 0,
      errors: 10,
    },
    { ...usual, name: 'check', ask: { type: 'command', command: ['node', 'check.js', '$release'] }, timeoutMs: 60_000 },
  ]);
});

it('one limit holds at every quantile, and a step that has to pass waits for an hour unless it says so', () => {
  expect(settings('{ latency: { quantiles: [0.5, 0.99], at_most: 1s } }').analysis?.rules.latency?.limits).toEqual([
    { quantile: 0.5, ms: 1_000 },
    { quantile: 0.99, ms: 1_000 },
  ]);
  expect(settings('{}', '{ weight: 5, analysis: pass }').stages).toEqual([
    { weight: 5, forMs: 0, approval: false, passWithinMs: 3_600_000 },
  ]);
  const rollout = settings('{ metrics: [{ name: check, command: [check] }] }', '{ weight: 5, analysis: pass, within: 10m }');
  expect(rolloutInWords(rollout)).toBe(
    '5 % until the evidence passes it, then 100 %; taken back by itself at evidence against it, of check too, or a failing start',
  );
});

const metric = (fields: string): string => `{ metrics: [{ name: m, ${fields} }] }`;

it.each<[string, string, string?]>([
  ['{ error_rate: { at_most: 0.02 } }', 'a percentage such as 2%'],
  ['{ error_rate: { at_most: 0% } }', 'above 0% and below 100%'],
  ['{ latency: { at_most: { p100: 1s } } }', 'a quantile such as p95'],
  ['{ counts: [{ name: n, attribute: "a b", value: x, direction: must_not_fall }] }', 'the name of an attribute'],
  ['{ counts: [{ name: n, attribute: a, value: "x, y", direction: must_not_fall }] }', 'a value of an attribute'],
  ['{ counts: [{ name: n, attribute: a, value: x }] }', "needs 'direction'"],
  ['{ counts: [{ name: errors, attribute: a, value: x, direction: must_not_rise }] }', 'a name that nothing else in the analysis has'],
  ['{ metrics: [{ name: m, command: [a] }, { name: m, command: [b] }] }', 'a name that nothing else in the analysis has'],
  [metric('at_most: 1'), 'exactly one of prometheus, http and command'],
  [metric('command: [a], http: { url: "http://a" }'), 'exactly one of prometheus, http and command'],
  [metric('prometheus: { url: "http://a", query: x }'), 'at_most or at_least'],
  [metric('http: { url: "http://a", value: /score }'), 'at_most or at_least'],
  [metric('http: { url: "http://a" }, at_least: 1'), 'left out: there is no value'],
  [metric('command: [a], at_most: 1'), 'left out: there is no value'],
  [metric('http: { url: "http://a", value: score }, at_most: 1'), 'a JSON pointer'],
  [metric('http: { url: "ftp://a" }'), 'an http or https URL'],
  [metric('http: { url: "http://me:secret@a" }'), 'an http or https URL without a user or password'],
  [metric('http: { url: "http://a", authorization: Bearer 1234 }'), 'text with a secret'],
  [metric('prometheus: { url: "http://a", query: "up{r=\'$relase\'}" }, at_most: 1'), 'no other variables than $release, $stable'],
  [metric('command: [a], interval: 10ms'), 'at least 1s'],
  [metric('command: [a], timeout: 1h'), 'at most 5m'],
  ['{}', 'it belongs to a step with analysis', '{ weight: 5, within: 1m }'],
  ['{}', 'a step with approval', '{ weight: 5, analysis: pass, approval: true }'],
  ['{}', 'pass', '{ weight: 5, analysis: fail }'],
])('refuses %s: %s', (analysis, expected, step) => {
  const { ok, problems } = load(analysis, step);
  expect([ok, problems.length > 0, problems.map(({ message }) => message).join('\n')]).toEqual([
    false,
    true,
    expect.stringContaining(expected),
  ]);
});
