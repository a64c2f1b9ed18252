import { createMeters } from '../../src/gateway/measuring/meters.ts';
import { drawn, finished, measured } from '../../src/gateway/measuring/testing/finished.ts';

// What measuring costs a request: nanoseconds of processor time for `begin` and `end` with one reused record, what its counting later takes
// included, and bytes of heap they allocate. A worker is asked for its counts every 20,000 requests: npm run bench:meter

const requests = 2_000_000;
const rounds = 9;
const perSnapshot = 20_000;
/** So many are answered at a time. */
const open = 64;
/** 10 microseconds to 30 ms. */
const latencies = Float64Array.from({ length: 65_536 }, (_, index) => Math.exp(((index * 7_919) % 65_536) / 8_192) / 100);

interface Case {
  readonly name: string;
  readonly evidence?: Parameters<typeof measured>[1];
  readonly by: 'request' | 'unit';
  readonly attributes: string;
}

const cases: readonly Case[] = [
  { name: 'counters and sketches', by: 'request', attributes: '' },
  { name: 'with evidence', evidence: {}, by: 'request', attributes: '' },
  { name: 'with evidence by category', evidence: { attribute: 'decision' }, by: 'request', attributes: 'intent=x, decision=refund' },
  {
    name: 'with evidence by category and two counted values',
    evidence: {
      attribute: 'decision',
      counted: [
        { attribute: 'intent', value: 'x' },
        { attribute: 'outcome', value: 'resolved' },
      ],
    },
    by: 'request',
    attributes: 'intent=x, decision=refund',
  },
  { name: 'with evidence by unit (50,000 users)', evidence: {}, by: 'unit', attributes: '' },
];

for (const { name, evidence, by, attributes } of cases) {
  const meters = createMeters({ clock: { monotonic: () => performance.now() } });
  meters.follow([measured(['candidate', 'stable'], evidence)]);
  const both = [meters.meterOf('test', 'app', 'candidate'), meters.meterOf('test', 'app', 'stable')] as const;
  const record = finished({ by, attributes, ...(by === 'unit' && { draw: drawn({ candidate: 0.1, stable: 0.9 }) }) });
  const underway = Array.from({ length: open }, () => ({ startedAt: 0, firstByteAt: 0, isWhole: true, place: -1, assigned: record }));
  const nanoseconds: number[] = [];
  let allocated = 0;
  for (let round = 0; round < rounds; round += 1) {
    meters.snapshot();
    const heap = process.memoryUsage().heapUsed;
    const start = process.cpuUsage();
    for (const each of underway) each.startedAt = 0;
    for (let index = 0; index < requests; index += 1) {
      const isCandidate = index % 10 === 0;
      const meter = isCandidate ? both[0] : both[1];
      record.totalMs = latencies[index & 65_535] as number;
      record.firstByteMs = record.totalMs / 2;
      record.probability = isCandidate ? 0.1 : 0.9;
      record.unit = (index * 2_654_435_761) % 50_000;
      const request = underway[index % open] as (typeof underway)[number];
      if (request.startedAt > 0) meter.end(record, request);
      request.startedAt = performance.now();
      meter.begin(request);
      if (index % perSnapshot === perSnapshot - 1) meters.snapshot();
    }
    const { user, system } = process.cpuUsage(start);
    nanoseconds.push(((user + system) * 1_000) / requests);
    allocated = (process.memoryUsage().heapUsed - heap) / requests;
  }
  nanoseconds.sort((left, right) => left - right);
  const [best = 0, median = 0] = [nanoseconds[0], nanoseconds[Math.floor(rounds / 2)]];
  console.log(`${name}: best ${best.toFixed(0)} ns, median ${median.toFixed(0)} ns a request; ${allocated.toFixed(1)} bytes of heap`);
}
