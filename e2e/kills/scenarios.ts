import type { Client } from '../../src/api/client.ts';
import type { ServiceView } from '../../src/api/schemas/service.ts';
import type { Behaviour } from '../rollout-world.ts';

/** What somebody does to the rollout, as soon and as long as it is called for; done once it is not any more. */
export interface Press {
  readonly when: (view: ServiceView, before: string) => boolean;
  /** A newer release instead of an operation. */
  readonly deploy?: Behaviour;
  readonly act?: (client: Client) => Promise<unknown>;
  /** It may pass so quickly that nobody comes to it. */
  readonly optional?: true;
}

export interface Scenario {
  readonly strategy: string;
  readonly name: string;
  readonly rollout: string;
  /** What is deployed in the beginning; absent where it is only pressed. */
  readonly candidate?: Behaviour;
  /** Users are turned away on purpose. */
  readonly isDown?: true;
  /** An instance dies with requests that nobody else has heard of. */
  readonly breaksOff?: true;
  /** It leaves the stack and comes again: there is nothing to press. */
  readonly removes?: true;
  readonly prompt?: string;
  readonly presses?: readonly Press[];
  /** Whose release is in use in the end. */
  readonly ends: 'candidate' | 'stable' | 'newer';
}

const agent = ['default', 'agent'] as const;
const isHeld = ({ rollout }: ServiceView): boolean => rollout?.waits.for === 'approval';
const agreed: Press = { when: isHeld, act: (client) => client.promoteRollout(...agent) };
const aborted: Press = { when: isHeld, act: (client) => client.abortRollout(...agent) };
const abortedAtOnce: Press = { ...aborted, when: ({ rollout }) => rollout !== undefined };
const paused: readonly Press[] = [
  {
    when: ({ rollout }) => rollout !== undefined && rollout.paused === undefined,
    act: (client) => client.pauseRollout(...agent),
    optional: true,
  },
  { when: ({ rollout }) => rollout?.waits.for === 'resume', act: (client) => client.resumeRollout(...agent), optional: true },
];
const returned: Press = {
  when: ({ rollout, release }, before) => rollout === undefined && release !== before,
  act: (client) => client.rollBack(...agent),
};
const isWhole = ({ instances, replicas, rollout }: ServiceView): boolean =>
  rollout === undefined && instances.length === replicas.desired && instances.every(({ state }) => state === 'ready');
const scaled = (from: number, to: number): Press => ({
  when: (view) => isWhole(view) && view.replicas.desired === from,
  act: (client) => client.scaleService(...agent, to),
});
const restarted: Press = { when: isWhole, act: (client) => client.restartService(...agent) };
/** It ends with everything stopped, and is started again. */
const putDown: Press = { when: isWhole, act: (client) => client.shutdown({ workloads: 'stop' }) };
function oneDies(): readonly Press[] {
  let dead: number | undefined;
  const dies: Press = {
    when: isWhole,
    async act(client) {
      dead = (await client.getService(...agent)).instances[0]?.pid;
      if (dead !== undefined) process.kill(dead, 'SIGKILL');
      return dead;
    },
  };
  const isSeen: Press = { when: ({ instances }) => instances.every(({ pid }) => pid !== dead), act: () => Promise.resolve(true) };
  return [dies, isSeen];
}
const superseded: Press = { when: isHeld, deploy: { word: 'newer' } };

/** `url`: where hooks and a source of evidence are answered. */
export function scenariosWith(url: string): readonly Scenario[] {
  const asked = (name: string, when: string): string => `{ name: ${name}, url: "${url}/hook", when: ${when} }`;
  const both = `hooks: [${asked('begins', 'start')}, ${asked('ends', 'end')}]`;
  const canary = `strategy: canary, affinity: { cookie: session }, progress_deadline: 1m`;
  const judged = 'analysis: { error_rate: {}, min_requests: 20 }';
  const source = `metrics: [{ name: evals, http: { url: "${url}/source/$release", value: /score }, at_least: 0.5, interval: 1s, errors: 0 }]`;
  const steps = 'steps: [{ weight: 20, for: 300ms }, { weight: 50, approval: true }]';
  const plain = `{ ${canary}, ${steps}, ${judged} }`;
  const copying = `{ ${canary}, steps: [{ mirror: 20, for: 300ms }, { weight: 60, for: 300ms, approval: true }], analysis: { error_rate: {}, min_requests: 60 } }`;
  const beside = plain.replace('steps:', 'baseline: true, steps:');
  const auto = plain.replace('strategy: canary', 'strategy: auto');
  const rich = `{ ${canary}, ${both},
      steps: [{ weight: 20, for: 300ms, hooks: [${asked('opens', 'before')}, ${asked('closes', 'after')}] }, { weight: 50, analysis: pass, within: 5m }],
      analysis: { error_rate: { at_most: 20%, negligible: 10% }, min_requests: 20, ${source} } }`;
  const blueGreen = '{ strategy: blue_green, progress_deadline: 1m, smoke: { path: /healthz }, keep_previous: 500ms }';
  const previewed = `{ strategy: blue_green, progress_deadline: 1m, smoke: { path: /healthz }, ${both},
      preview: { for: 300ms, approval: true, ${source} } }`;
  const rolling = '{ strategy: rolling, progress_deadline: 1m }';
  const experimenting = `{ ${canary}, steps: [{ weight: 5, for: 100ms }], ${judged}, experiment: { metric: { attribute: outcome, value: resolved, goal: more },
      share: 60, for: 500ms, min_units: 60, arms: { warm: { env: { RESOLVES: 0.95 } }, terse: { env: { FAILS: 0.5 } } } } }`;

  const sound = { word: 'sound' };
  const faulty = { word: 'faulty', errorRate: 0.4 };
  const crash = { word: 'crash', broken: 'exits' } as const;
  const silent = { word: 'silent', broken: 'hangs' } as const;
  const of = (strategy: string, rollout: string) => ({
    plays: (name: string, candidate: Behaviour | undefined, ends: Scenario['ends'], more: Partial<Scenario> = {}): Scenario => ({
      strategy,
      // Long where a machine that does other things too must not take a sound candidate back.
      rollout: candidate?.broken === 'hangs' ? rollout.replace('progress_deadline: 1m', 'progress_deadline: 4s') : rollout,
      name,
      ...(candidate && { candidate }),
      ends,
      ...more,
    }),
  });
  const [byRolling, byCanary, byCopies] = [of('rolling', rolling), of('canary', plain), of('canary after copies', copying)];
  const [byBaseline, byArms] = [of('canary beside a fresh baseline', beside), of('canary with an experiment', experimenting)];
  const [byBlueGreen, byPreview, byAuto] = [of('blue_green', blueGreen), of('blue_green with a preview', previewed), of('auto', auto)];
  return [
    byRolling.plays('forward', sound, 'candidate'),
    byRolling.plays('paused for a moment', sound, 'candidate', { presses: paused }),
    byRolling.plays('one that crashes', crash, 'stable'),
    byRolling.plays('one that never becomes ready', silent, 'stable'),
    byRolling.plays('superseded', silent, 'newer', { presses: [{ ...superseded, when: ({ rollout }) => rollout !== undefined }] }),
    byRolling.plays('aborted', silent, 'stable', { presses: [abortedAtOnce] }),
    byRolling.plays('returned', sound, 'stable', { presses: [returned] }),
    byRolling.plays('scaled up and down', undefined, 'stable', { presses: [scaled(2, 3), scaled(3, 2)] }),
    byRolling.plays('an instance dies', undefined, 'stable', { presses: oneDies(), breaksOff: true }),
    byRolling.plays('restarted', undefined, 'stable', { presses: [restarted] }),
    of('winding down', rolling).plays('put down and up again', undefined, 'stable', { presses: [putDown], isDown: true }),
    of('winding down', rolling).plays('removed and declared again', undefined, 'candidate', { removes: true }),
    byCanary.plays('forward', sound, 'candidate', { presses: [agreed] }),
    of('canary', rich).plays('asking hooks and a source that is away', sound, 'candidate'),
    byCanary.plays('paused for a moment', sound, 'candidate', { presses: [...paused, agreed] }),
    byCanary.plays('one with errors', faulty, 'stable'),
    byCanary.plays('one that crashes', crash, 'stable'),
    byCanary.plays('one that never becomes ready', silent, 'stable'),
    byCanary.plays('aborted', sound, 'stable', { presses: [aborted] }),
    byCanary.plays('superseded', sound, 'newer', { presses: [superseded, agreed] }),
    byCanary.plays('returned', sound, 'stable', { presses: [agreed, returned] }),
    // Each stage needs one more of three instances.
    byCopies.plays('forward', { ...sound, replicas: 3 }, 'candidate', { presses: [agreed] }),
    byCopies.plays('one with errors', faulty, 'stable'),
    byBaseline.plays('forward', sound, 'candidate', { presses: [agreed] }),
    byBaseline.plays('aborted', sound, 'stable', { presses: [aborted] }),
    byArms.plays('forward with the winner', sound, 'candidate', {
      presses: [{ when: isHeld, act: (client) => client.promoteRollout(...agent, { arm: 'warm' }) }],
    }),
    of('canary with an experiment', experimenting.replace('FAILS: 0.5', 'RESOLVES: 0.31')).plays('aborted', sound, 'stable', {
      presses: [aborted],
    }),
    byAuto.plays('forward', sound, 'candidate', { prompt: 'Answer the customer kindly, number', presses: [agreed] }),
    byAuto.plays('one with errors', faulty, 'stable', { prompt: 'Answer the customer briefly, number' }),
    byBlueGreen.plays('forward', sound, 'candidate'),
    byBlueGreen.plays('one that crashes', crash, 'stable'),
    byBlueGreen.plays('one that never becomes ready', silent, 'stable'),
    of('blue_green', blueGreen.replace('500ms', '5m')).plays('returned', sound, 'stable', { presses: [returned] }),
    byPreview.plays('forward', sound, 'candidate', { presses: [agreed] }),
    byPreview.plays('aborted', sound, 'stable', { presses: [aborted] }),
  ];
}
