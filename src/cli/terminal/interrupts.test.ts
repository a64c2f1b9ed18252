import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../effects/clock.ts';
import { aborted, watchInterrupts } from './interrupts.ts';

function manualClock(): Clock & { time: number } {
  return {
    ...systemClock,
    time: 1_000,
    monotonic(this: { time: number }) {
      return this.time;
    },
  };
}

describe('Ctrl-C', () => {
  it('asks the first time and insists the second', () => {
    const [source, clock] = [new EventEmitter(), manualClock()];
    const interrupts = watchInterrupts(source, clock);
    source.emit('SIGINT');
    expect([interrupts.first.aborted, interrupts.second.aborted]).toEqual([true, false]);
    clock.time += 5_000;
    source.emit('SIGINT');
    expect(interrupts.second.aborted).toBe(true);
  });

  it('counts once when the terminal, npm and the launcher all pass the same one on', () => {
    const [source, clock] = [new EventEmitter(), manualClock()];
    const interrupts = watchInterrupts(source, clock);
    for (const signal of ['SIGINT', 'SIGINT', 'SIGTERM']) {
      source.emit(signal);
      clock.time += 100;
    }
    expect(interrupts.second.aborted).toBe(false);
  });

  it('is left to the process again afterwards', () => {
    const source = new EventEmitter();
    watchInterrupts(source).end();
    expect(source.eventNames()).toEqual([]);
  });

  it('can be waited for, before and after it came', async () => {
    const controller = new AbortController();
    const waiting = aborted(controller.signal);
    controller.abort();
    await expect(waiting).resolves.toBeUndefined();
    await expect(aborted(controller.signal)).resolves.toBeUndefined();
  });
});
