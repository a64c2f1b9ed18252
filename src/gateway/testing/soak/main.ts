// npm run soak:gateway -- [--minutes 10] [--seed 1] [--kill-every-seconds 20] [--json]
import { parseArgs } from 'node:util';
import { type SoakReport, runSoak } from './soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    'kill-every-seconds': { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
});

/** By how much the largest process may be larger in the last fifth than in the second. */
const growthAtMost = 1.5;

const report = await runSoak({
  seed: Number(values.seed),
  durationMs: Number(values.minutes) * 60_000,
  killEveryMs: Number(values['kill-every-seconds']) * 1_000,
  clients: { 'kept alive': 8, fresh: 4, stream: 8, upload: 3, WebSocket: 6 },
  onProgress: (line) => console.error(line),
});
const { early, late } = growth(report);
const complaints = [
  ...report.failures.map(({ kind, reason }) => `${kind}: ${reason}`),
  ...report.late.map((request) => `sent to an instance that drains: ${request}`),
  ...(report.inFlightAfter > 0 ? [`${report.inFlightAfter} requests are thought to run although none does`] : []),
  ...(late.memoryMb > early.memoryMb * growthAtMost + 20 ? [`memory grows: ${early.memoryMb} MB, then ${late.memoryMb} MB`] : []),
  ...(late.files > early.files * growthAtMost + 20 ? [`open files grow: ${early.files}, then ${late.files}`] : []),
];
if (values.json) console.log(JSON.stringify({ ...report, complaints }, null, 2));
else print(report);
process.exit(complaints.length === 0 ? 0 : 1);

function print({ done, tables, instances, killed, lostWithWorkers }: SoakReport): void {
  for (const [kind, count] of Object.entries(done)) console.log(`${kind.padEnd(12)} ${String(count).padStart(9)}`);
  console.log(`${tables} tables, ${instances} instances, ${killed} workers killed with ${lostWithWorkers.length} requests in them`);
  console.log(
    `largest process: ${early.memoryMb.toFixed(0)} MB and ${early.files} files, later ${late.memoryMb.toFixed(0)} MB and ${late.files} files`,
  );
  console.log(complaints.length === 0 ? 'nothing failed' : complaints.slice(0, 40).join('\n'));
}

/** The middle of the second fifth of the time, and of the last. */
function growth({ footprints }: SoakReport): {
  readonly early: { memoryMb: number; files: number };
  readonly late: { memoryMb: number; files: number };
} {
  const fifth = Math.floor(footprints.length / 5);
  const middle = (from: number, pick: 'memoryMb' | 'files'): number =>
    footprints
      .slice(from, from + fifth)
      .map((each) => each[pick])
      .toSorted((left, right) => left - right)[fifth >> 1] ?? 0;
  const at = (from: number): { memoryMb: number; files: number } => ({ memoryMb: middle(from, 'memoryMb'), files: middle(from, 'files') });
  return { early: at(fifth), late: at(footprints.length - fifth) };
}
