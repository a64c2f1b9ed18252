import { expect, test } from 'vitest';
import { runSoak } from './soak.ts';

test('while weights, instances and tables change ten times a second and a worker dies, no request fails', async () => {
  const report = await runSoak({
    seed: 7,
    durationMs: 2_500,
    fewestTables: 15,
    killEveryMs: 1_200,
    clients: { 'kept alive': 3, fresh: 2, stream: 3, upload: 1, WebSocket: 2 },
  });
  expect(report.failures).toEqual([]);
  expect(report.late).toEqual([]);
  expect(report.inFlightAfter).toBe(0);
  expect(report.killed).toBeGreaterThan(0);
  expect(report.tables).toBeGreaterThanOrEqual(15);
  for (const count of Object.values(report.done)) expect(count).toBeGreaterThan(0);
  for (const { memoryMb, files } of report.footprints) {
    expect(memoryMb).toBeLessThan(400);
    expect(files).toBeLessThan(300);
  }
});
