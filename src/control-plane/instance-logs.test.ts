import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogLine } from '../api/schemas/service.ts';
import { systemClock } from '../effects/clock.ts';
import type { RunningInstance } from '../providers/workloads.ts';
import type { Address } from '../stack/stack.ts';
import { until } from '../testing/conditions.ts';
import { createInstanceLogs } from './instance-logs.ts';

describe('the logs of a service', () => {
  let folder: string;
  let instances: RunningInstance[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-instance-logs-'));
    instances = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const add = async (id: string, text: string, service: Address = 'staging/service/echo'): Promise<string> => {
    const logFile = join(folder, `${id}.log`);
    await writeFile(logFile, text);
    const startedAt = new Date(instances.length).toISOString();
    instances.push({ id, service, release: 'r', host: '127.0.0.1', port: 1, pid: 1, startTime: '', startedAt, logFile });
    return logFile;
  };
  const logs = () => createInstanceLogs({ workloads: { list: () => Promise.resolve(instances) }, clock: systemClock });

  it('are the last lines of each of its instances, in the order in which they were started', async () => {
    await add('one', 'a\nb\nc\n');
    await add('two', 'd\n');
    await add('other', 'x\n', 'staging/service/other');
    expect(shown(await logs().read('staging/service/echo', { tail: 2 }))).toEqual(['one b', 'one c', 'two d']);
    expect(shown(await logs().read('staging/service/echo', { tail: 2, instance: 'two' }))).toEqual(['two d']);
    expect(await logs().read('staging/service/echo', { tail: 2, instance: 'other' })).toEqual([]);
  });

  it('are followed as they are written, with every line of an instance that starts later, until the reader has enough', async () => {
    const file = await add('one', 'a\nb\n');
    const over = new AbortController();
    const lines: LogLine[] = [];
    const following = (async () => {
      for await (const line of logs().follow('staging/service/echo', { tail: 1 }, over.signal)) lines.push(line);
    })();
    await until('the last line', () => lines.length === 1);
    await appendFile(file, 'c\n');
    await until('a new line', () => lines.length === 2);
    await add('two', 'd\ne\n');
    await until('the lines of the new instance', () => lines.length === 4);
    over.abort();
    await following;
    expect(shown(lines)).toEqual(['one b', 'one c', 'two d', 'two e']);
  });
});

function shown(lines: readonly LogLine[]): readonly string[] {
  return lines.map(({ instance, line }) => `${instance} ${line}`);
}
