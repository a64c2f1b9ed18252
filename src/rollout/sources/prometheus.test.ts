import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testPort } from '../../testing/test-port.ts';
import { type Answering, answering } from '../../testing/answering.ts';
import { until } from '../../testing/conditions.ts';
import { describeWith } from '../../testing/requires.ts';
import { askPrometheus } from './prometheus.ts';
import { inQuery } from './template.ts';

const values = { release: 'r-2', stable: 'r-1', service: 'agent', environment: 'default' };
const ask = (url: string, query: string, atMost = 5) =>
  askPrometheus({ type: 'prometheus', url, query: inQuery(query, values) }, { timeoutMs: 10_000, atMost }).catch(
    (error: Error) => error.message,
  );

const vector = (...samples: readonly string[]) =>
  JSON.stringify({
    status: 'success',
    data: { resultType: 'vector', result: samples.map((value) => ({ metric: {}, value: [0, value] })) },
  });

describe('what is no answer of a Prometheus server', () => {
  let server: Answering;
  const answers: Readonly<Record<string, string>> = {
    empty: '',
    page: '<html>Sign in</html>',
    other: '{"status":"success","data":{"resultType":"vector","result":[{"value":[0,1]}]}}',
    words: vector('quite a lot'),
    blank: vector(''),
    infinite: vector('+Inf'),
    none: vector('NaN'),
    deep: '['.repeat(20_000),
    shouts: JSON.stringify({ status: 'error', errorType: 'bad\n<b>data</b>', error: 'hunter2' }),
  };
  beforeAll(async () => {
    server = await answering((request, response) => {
      const query = new URL(request.url ?? '', 'http://x').searchParams.get('query') ?? '';
      response.statusCode = query === 'away' ? 503 : 200;
      response.end(answers[query] ?? vector('1'));
    });
  });
  afterAll(() => server.close());

  it.each([
    ['empty', 'its answer is none to an instant query with one value'],
    ['page', 'its answer is none to an instant query with one value'],
    ['other', 'its answer is none to an instant query with one value'],
    ['deep', 'its answer is none to an instant query with one value'],
    ['words', 'its answer holds no number'],
    ['blank', 'its answer holds no number'],
    ['away', 'it answered with status 503'],
    ['shouts', 'the query was refused: badbdatab'],
    ['none', { outcome: 'no_data', said: 'the value is NaN' }],
    ['infinite', { outcome: 'no_data', said: 'the value is Infinity' }],
  ])('is never a pass: %s', async (query, expected) => {
    expect(await ask(server.url, query)).toEqual(expected);
  });
});

const about = (name: string) => inQuery(`label_replace(vector(7), "release", "$release", "", "")`, { ...values, release: name });

describeWith('prometheus', 'a real Prometheus server', (prometheus) => {
  let folder: string;
  let url: string;
  let stop: () => Promise<unknown>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-source-'));
    await writeFile(join(folder, 'prometheus.yml'), '{}');
    const port = await testPort();
    url = `http://127.0.0.1:${port}`;
    const flags = [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const child = spawn(prometheus, flags, { stdio: 'ignore' });
    const ended = once(child, 'close');
    stop = () => {
      child.kill('SIGKILL');
      return ended;
    };
    await until('a Prometheus server', async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok);
  }, 40_000);
  afterAll(async () => {
    await stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('gives one value, which is held to the bound', async () => {
    expect(await ask(url, 'vector(3)')).toEqual({ outcome: 'pass', value: 3 });
    expect(await ask(url, 'scalar(vector(5))')).toEqual({ outcome: 'pass', value: 5 });
    expect(await ask(url, 'vector(5.01)')).toEqual({ outcome: 'fail', value: 5.01 });
  });

  it('gives no data for what it knows nothing of, and for nothing by nothing', async () => {
    expect(await ask(url, 'nobody_counts_this')).toEqual({ outcome: 'no_data', said: 'the query finds nothing' });
    expect(await ask(url, 'vector(0) / vector(0)')).toEqual({ outcome: 'no_data', said: 'the value is NaN' });
  });

  it('gives errors for several values, for ranges and for what it cannot parse', async () => {
    const two = 'label_replace(vector(1), "a", "1", "", "") or label_replace(vector(2), "a", "2", "", "")';
    expect(await ask(url, two)).toContain('the query finds 2 values');
    expect(await ask(url, 'vector(1)[1m:10s]')).toContain('none to an instant query');
    expect(await ask(url, 'sum(')).toBe('the query was refused: bad_data');
    expect(await ask(`${url}/nowhere`, 'vector(1)')).toContain('status 404');
  });

  it('is asked about the release, and no name can leave the text it stands in', async () => {
    const query = `${about('r-2')} and on(release) label_replace(vector(1), "release", "r-2", "", "")`;
    expect(await ask(url, query, 9)).toEqual({ outcome: 'pass', value: 7 });
    expect(await ask(url, about('r"\\'), 9)).toEqual({ outcome: 'pass', value: 7 });
    expect(await ask(url, about('", "", "") or vector(1) or label_replace(vector(9), "a", "'), 9)).toEqual({ outcome: 'pass', value: 7 });
  });
});
