import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from './run.ts';
import { capturedTerminal } from './testdata/captured-terminal.ts';
import { temporaryFolder } from './testdata/temporary-folder.ts';

const declared = `service:
  name: agent
  source: src
  command: [node, server.ts]
  version: 1.0.0
  replicas: 2
  rollout:
    strategy: canary
    steps: [{ weight: 20, for: 10s }]
    analysis: { error_rate: {}, min_requests: 20 }
`;

async function simulate(stack: string, ...line: string[]) {
  const folder = await temporaryFolder();
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'stack.yaml'), stack);
  const terminal = capturedTerminal(folder);
  const code = await runCli(['simulate', ...line], terminal);
  return { code, stdout: terminal.stdout(), stderr: terminal.stderr() };
}

describe('simulate', () => {
  it('prints one rollout and what came of all, the same for the same seed', async () => {
    const line = ['agent', '--fault', 'error_rate=0.5', '--traffic', '100rps', '--runs', '6', '--seed', '3'];
    const { code, stdout, stderr } = await simulate(declared, ...line);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^canary: 20 % for 10s, then 100 %/);
    expect(stdout).toContain('the candidate gets 20 % of the requests');
    expect(stdout).toContain('errors got worse than is tolerated');
    expect(stdout).toMatch(/detected +6 of 6, after [\d.]+s \(p50\), [\d.]+s \(p95\)/);
    expect(stdout).toMatch(/false alarms +0 of 6 without a fault: 0 % \(95 %: 0 % to 39 %\)/);
    expect((await simulate(declared, ...line)).stdout).toBe(stdout);
  });

  it('puts strategies side by side, also as one document', async () => {
    const line = ['agent', '--compare', 'rolling,blue_green,canary', '--runs', '2', '--duration', '1m'];
    const { stdout, stderr } = await simulate(declared, ...line);
    expect(stdout).toMatch(/^STRATEGY .*\nrolling +0 of 2 .*\nblue_green +0 of 2 .*\ncanary +2 of 2 /);
    expect(stderr).toContain('rolling: nothing compares errors');
    const { strategies } = JSON.parse((await simulate(declared, ...line, '--json')).stdout) as { strategies: { strategy: string }[] };
    expect(strategies.map(({ strategy }) => strategy)).toEqual(['rolling', 'blue_green', 'canary']);
  });

  it('shows how load changes the number of instances, and what was taken to be so', async () => {
    const scaled = declared.replace('  rollout:', '  scaling: { min: 1, max: 4, targets: { latency_p95: 400ms } }\n  rollout:');
    const { stdout, stderr } = await simulate(scaled, 'agent', '--fault', 'latency=2x', '--runs', '1', '--duration', '1m');
    expect(stdout).toMatch(/agent is scaled from 2 to 3: latency p95 \d+ ms over 400 ms/);
    expect(stdout).toMatch(/scaled +from 2 to 4 \(p50\), 4 \(p95\); to 2 for a sound release/);
    expect(stderr).toContain('an instance of stable carries 41.7 requests a second (--capacity), so that 2 instances are 60 % used');
  });

  it.each([
    [declared, ['agnt'], 1, 'It declares agent.'],
    [declared, ['agent', '--fault', 'explode'], 64, "--fault 'explode': there is no such fault"],
    [declared, ['agent', '--traffic', 'much'], 64, "--traffic 'much' is not a rate"],
    [declared, ['agent', '--traffic', '0rps'], 64, "--traffic '0rps' is not a rate"],
    [declared, ['agent', '--runs', '0'], 64, "--runs '0' is not a whole number from 1"],
    [declared, ['agent', '--duration', '1ms'], 64, "--duration '1ms' is not a time"],
    [declared, ['agent', '--baseline-errors', '1'], 64, "--baseline-errors '1' is not a share"],
    [declared, ['agent', '--capacity', '5'], 64, "--capacity '5' is not a rate"],
    [declared, ['agent', '--baseline-latency', 'soon'], 64, "--baseline-latency 'soon' is not a time"],
    [declared, ['agent', '--source', 'slo=fail'], 64, "--source 'slo': agent declares no such source of evidence; it declares none."],
    [declared, ['agent', '--compare', 'canary,hope'], 64, "there is no 'hope'"],
    [declared.replace('replicas: 2', 'replicas: 0'), ['agent'], 64, 'agent has no instances'],
    [declared.replace('weight: 20', 'weight: 200'), ['agent'], 1, 'stack.yaml:9:'],
  ] as const)('says what is wrong and where (%#)', async (stack, line, code, words) => {
    const outcome = await simulate(stack, ...line);
    expect([outcome.code, outcome.stdout]).toEqual([code, '']);
    expect(outcome.stderr).toContain(words);
  });
});
