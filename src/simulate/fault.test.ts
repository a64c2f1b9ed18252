import { describe, expect, it } from 'vitest';
import { chanceSlower, latencyAt, ordinaryAnswers } from '../rollout/simulation/answers.ts';
import { answersWith, behaviourWith, parseFault } from './fault.ts';

describe('a fault', () => {
  it.each([
    ['none', {}],
    ['error_rate=0.05', { errorRate: 0.05 }],
    ['latency=2x', { latency: 2 }],
    ['decisions=shift', { decisions: 0.3 }],
    ['decisions=0.1', { decisions: 0.1 }],
    ['crash', { crashAfterMs: 10_000 }],
    ['crash=30s', { crashAfterMs: 30_000 }],
    ['never_ready', { neverReady: true }],
    ['error_rate=0.02, latency=1.5x', { errorRate: 0.02, latency: 1.5 }],
  ] as const)('%s is understood', (text, fault) => expect(parseFault(text)).toEqual(fault));

  it.each([
    ['error_rate=1.5', "--fault 'error_rate=1.5': error_rate is a share from 0 to 1"],
    ['error_rate', 'error_rate is a share'],
    ['latency=2', 'latency is a factor'],
    ['latency=2x,explode', "--fault 'explode' in 'latency=2x,explode': there is no such fault"],
    ['crash=soon', 'crash takes the time'],
    ['none=1', 'none takes no value'],
    ['', 'there is no such fault'],
  ])('%j is refused with the part that is wrong', (text, words) => expect(() => parseFault(text)).toThrow(words));

  it('changes what it says and nothing else', () => {
    const shifted = answersWith(parseFault('decisions=shift'), ordinaryAnswers);
    expect(shifted).toEqual({
      ...ordinaryAnswers,
      decisions: { answer: expect.closeTo(0.4), clarify: 0.2, escalate: expect.closeTo(0.4) },
    });
    expect(answersWith({}, ordinaryAnswers)).toEqual(ordinaryAnswers);
    const slow = answersWith(parseFault('latency=2x'), ordinaryAnswers);
    expect(latencyAt(slow, 0.95) / latencyAt(ordinaryAnswers, 0.95)).toBeCloseTo(2, 5);
    expect(chanceSlower(slow, 2 * latencyAt(ordinaryAnswers, 0.99))).toBeCloseTo(0.01, 5);
    expect(behaviourWith(parseFault('never_ready'), { readyAfter: 10, stopsAfter: 5 })).toEqual({ stopsAfter: 5 });
  });
});
