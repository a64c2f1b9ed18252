import pico from 'picocolors';
import { describe, expect, it } from 'vitest';
import type { Change } from '../../plan/plan.ts';
import type { Address } from '../../stack/stack.ts';
import type { EventType, SluiceEvent } from '../../telemetry/events.ts';
import { capturedTerminal } from '../testdata/captured-terminal.ts';
import { displayWidth } from '../terminal/text.ts';
import { progressLines } from './lines.ts';
import { advance, startOfProgress, type Progress } from './progress.ts';
import { watchProgress } from './watch.ts';

const start = Date.parse('2026-11-22T12:00:00.000Z');

const address = (name: string): Address => `default/database/${name}`;

function change(name: string, after: readonly string[] = [], action: Change['action'] = 'create'): Change {
  return {
    address: address(name),
    kind: 'database',
    name,
    action,
    reason: '',
    fields: [],
    risk: 'low',
    downtime: false,
    after: after.map(address),
  };
}

function event(type: EventType, name: string, second: number, message = ''): SluiceEvent {
  const time = new Date(start + second * 1_000).toISOString();
  return { sequence: second, time, type, level: 'info', message, address: `default/database/${name}` };
}

const plan = { changes: [change('one'), change('two', ['one']), change('three', ['one', 'two']), change('same', [], 'none')] };
const after = (events: readonly SluiceEvent[]): Progress => events.reduce(advance, startOfProgress(plan));
const lines = (progress: Progress, settings: { width?: number; height?: number } = {}): readonly string[] =>
  progressLines(progress, { colors: pico.createColors(false), width: settings.width, now: start + 5_000, ...settings });

describe('the picture of a run', () => {
  it('says what is queued, what runs and for how long, and what waits for what', () => {
    expect(lines(after([event('change.started', 'one', 1)]))).toEqual([
      expect.stringMatching(/^. database\/one {4}creating 4\.0s$/),
      '· database/two    waits for database/one',
      '· database/three  waits for database/one and 1 more',
    ]);
  });

  it('follows every change to its end', () => {
    const progress = after([
      event('change.started', 'one', 1),
      event('change.finished', 'one', 3),
      event('change.started', 'two', 3),
      event('change.progressed', 'two', 4, 'initialising'),
      event('change.failed', 'two', 5, 'it broke'),
      event('change.skipped', 'three', 5, 'needs two'),
    ]);
    expect(lines(progress)).toEqual(['✔ database/one    created in 2.0s', '✖ database/two    it broke', '- database/three  needs two']);
  });

  it('says the name of a resource once, and of a failure its first line', () => {
    const progress = after([
      event('change.started', 'one', 1),
      event('change.failed', 'one', 2, 'database/one: it broke.\nIts last output:\nboom'),
      event('change.skipped', 'two', 2, 'database/two skipped: staging/database/one was not changed as planned'),
    ]);
    expect(lines(progress).slice(0, 2)).toEqual([
      '✖ database/one    it broke.',
      '- database/two    skipped: staging/database/one was not changed as planned',
    ]);
  });

  it('shows the last word about a change that runs', () => {
    const progress = after([event('change.started', 'one', 1), event('instance.started', 'one', 2, 'instance 1 started')]);
    expect(lines(progress)[0]).toContain('creating 4.0s  instance 1 started');
  });

  it('ignores events of other resources', () => {
    const progress = startOfProgress(plan);
    expect(advance(progress, event('change.started', 'unknown', 1))).toBe(progress);
    expect(advance(progress, event('change.started', 'same', 1))).toBe(progress);
  });

  it('keeps within a narrow and a low terminal, what matters most staying', () => {
    const progress = after([event('change.started', 'one', 1), event('change.finished', 'one', 2), event('change.started', 'two', 2)]);
    const shown = lines(progress, { width: 24, height: 2 });
    expect(shown).toHaveLength(2);
    expect(shown[0]).toContain('database/two');
    expect(shown[1]).toBe('  … and 2 more');
    for (const line of lines(progress, { width: 24 })) expect(displayWidth(line)).toBeLessThan(24);
  });
});

describe('progress without a terminal', () => {
  it('is one line per event, with control characters as text', () => {
    const terminal = capturedTerminal('/');
    const view = watchProgress(plan, terminal.err);
    view.show(event('change.started', 'one', 1));
    view.show(event('change.started', 'unknown', 1));
    view.show(event('change.finished', 'one', 2));
    view.show(event('change.failed', 'two', 2, 'line one \u001b[2J\nand more'));
    view.end();
    expect(terminal.stderr()).toBe('database/one: creating\n✔ database/one: created in 1.0s\n✖ database/two: line one \\u001b[2J\n');
  });
});
