const ends = ['at rest', 'completed: the one before leaves', 'taken back: it leaves'];
const steps = (kind: string, ...what: readonly string[]): string[] => what.map((step) => `${kind}: ${step}`);
const returning = ['return: instances'];
const share = steps('share', 'capacity', 'gateway', 'time', 'evidence', 'approval');
const whole = steps('whole', 'capacity', 'gateway', 'in force');
const asking = ['hook before', 'hook after'];

/**
 * What a rollout can be doing, by strategy: every kind of stage (`stages` of its settings) with everything it may wait for (`waits` of its
 * view), and the ways it ends. Whatever is met and is not here is a state nobody has thought of.
 */
const situations: Readonly<Record<string, readonly string[]>> = {
  rolling: [...ends, ...returning, 'replacement: instances', 'replacement: paused', 'stable alone: instances'],
  'winding down': ['at rest', 'stable alone: instances', 'suspended', 'removed', 'gone', 'replacement: instances'],
  canary: [
    ...ends,
    ...returning,
    ...share,
    ...whole,
    ...steps('share', 'paused', 'held until a source answers', ...asking),
    ...steps('whole', 'hook after'),
  ],
  'canary after copies': [...ends, ...steps('copies', 'capacity', 'gateway', 'time', 'evidence'), ...share, ...whole],
  'canary beside a fresh baseline': [...ends, 'share: capacity of the baseline', ...share, ...whole, 'stable alone: instances'],
  'canary with an experiment': [
    ...ends,
    ...steps('share', 'capacity', 'gateway', 'time', 'evidence'),
    ...steps('experiment', 'capacity', 'gateway', 'time', 'evidence', 'approval'),
    ...steps('experiment', 'gateway', 'time', 'evidence', 'approval').map((name) => `${name}, an arm withdrawn`),
    ...steps('promoted arm, whole', 'capacity', 'gateway', 'in force'),
  ],
  auto: [...ends, ...share, ...whole],
  blue_green: [
    ...ends,
    ...returning,
    ...steps('whole', 'capacity', 'smoke check', 'gateway', 'in force'),
    'completed: the one before is kept',
  ],
  'blue_green with a preview': [
    ...ends,
    ...steps('preview', 'capacity', 'smoke check', 'hook before', 'gateway', 'time', 'evidence', 'held until a source answers', 'approval'),
    ...steps('whole', 'gateway', 'in force', 'hook after'),
  ],
};

/** What was met of each strategy beside what there is, as lines. */
export function coverage(seen: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  return Array.from(seen, ([strategy, states]) => {
    const met = new Set(Array.from(states, (state) => state.split(' | ')[0] ?? ''));
    const known = situations[strategy] ?? [];
    const missing = known.filter((situation) => !met.has(situation));
    const unknown = [...met].filter((situation) => !known.includes(situation));
    const words = [
      `${known.length - missing.length} of ${known.length} situations met and killed in`,
      missing.length > 0 && `never met: ${missing.join(', ')}`,
      unknown.length > 0 && `not foreseen: ${unknown.join(', ')}`,
    ];
    return `${strategy}: ${words.filter(Boolean).join('; ')}`;
  });
}
