import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../effects/clock.ts';
import { identify, type ProcessIdentity } from '../../effects/processes.ts';
import { outliveMain } from './orphan.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-orphan-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Says that it serves, leaves its identity, and ends with its channel. */
const successor = `
  require('node:fs').writeFileSync(process.argv[1] + '/started', String(process.pid));
  process.on('message', () => {});
  process.on('disconnect', () => process.exit(0));
  process.send({ kind: 'sluice-serving' });
`;
const orphaned = (main: ProcessIdentity | undefined): Promise<void> =>
  outliveMain({
    folder,
    main,
    successorFile: join(folder, 'successor.json'),
    program: [process.execPath, '-e', successor],
    environment: {},
    elders: [],
    sockets: new Map(),
    clock: systemClock,
    isWanted: () => true,
  });
const started = (): Promise<string> => readFile(join(folder, 'started'), 'utf8').catch(() => 'none');

test('a main process that is on record as a successor, and whose end is not complete, is none of its own', async () => {
  const self = identify(process.pid) as ProcessIdentity;
  await writeFile(join(folder, 'successor.json'), JSON.stringify(self));
  await orphaned(self);
  expect(Number(await started())).toBeGreaterThan(0);
});

test('who finds another main process serving starts none', async () => {
  const self = identify(process.pid) as ProcessIdentity;
  await writeFile(join(folder, 'successor.json'), JSON.stringify(self));
  await orphaned({ ...self, startTime: 'an earlier one' });
  expect(await started()).toBe('none');
});
