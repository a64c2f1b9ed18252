import { expect, test } from 'vitest';
import { expose, type MetricFamily } from './exposition.ts';

const families: readonly MetricFamily[] = [
  {
    name: 'things',
    type: 'counter',
    help: 'A "thing" \\ on\ntwo lines.',
    samples: [{ ending: '_total', labels: { name: 'a"b\\c\nd', kind: 'é' }, value: 3 }],
  },
  { name: 'level', type: 'gauge', help: 'Now.', samples: [{ labels: {}, value: Number.POSITIVE_INFINITY }] },
  { name: 'nothing', type: 'gauge', help: 'Left out.', samples: [] },
];

test('plain text escapes labels and help as the format wants', () => {
  expect(expose(families, undefined)).toEqual({
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    body: [
      '# HELP things_total A "thing" \\\\ on\\ntwo lines.',
      '# TYPE things_total counter',
      'things_total{name="a\\"b\\\\c\\nd",kind="é"} 3',
      '# HELP level Now.',
      '# TYPE level gauge',
      'level +Inf',
      '',
    ].join('\n'),
  });
});

test('OpenMetrics names the family without its ending and says where the end is', () => {
  const { contentType, body } = expose(families, 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3');
  expect(contentType).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
  expect(body).toMatch(/^# HELP things A \\"thing\\" .*\n# TYPE things counter\nthings_total\{/);
  expect(body.endsWith('\n# EOF\n')).toBe(true);
});

test.each(['*/*', 'text/plain', 'text/plain;q=0.9,application/openmetrics-text;q=0.2', 'application/openmetrics-text;q=0'])(
  'whoever accepts %s gets plain text',
  (accept) => {
    expect(expose(families, accept).contentType).toMatch(/^text\/plain/);
  },
);
