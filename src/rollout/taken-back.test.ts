import { describe, expect, it } from 'vitest';
import { problem } from '../errors/sluice-error.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import { loadStackText } from '../stack/load.ts';
import { rolloutSettings } from './rollout-settings.ts';
import type { RevisionContent, ServiceState } from './service-state.ts';
import { healthOf } from './service-specification.ts';
import { desiredRelease } from './simulation/desired-release.ts';
import { newService } from './desired-state.ts';
import { refusedInWords, type TakenBack, takenBack } from './taken-back.ts';

function fieldsOf(more: object = {}): ServiceFields {
  const loaded = loadStackText(JSON.stringify({ service: { name: 'agent', source: 'a', command: ['run'], version: '1.0.0', ...more } }));
  if (!loaded.ok) throw new Error('not valid');
  return loaded.value.blocks[0]?.fields as unknown as ServiceFields;
}

const fields = fieldsOf();
const desired = desiredRelease('r-1', 'one');
const { candidate, ...first } = newService(desired, { uid: 'u', token: { sealed: '', digest: '' } }, 0);
const failed: RevisionContent = { ...desired.revision, release: 'r-2', health: healthOf(fields) };
const state: ServiceState = {
  ...first,
  stable: 1,
  settings: { ...first.settings, rollout: rolloutSettings(fields.rollout) },
  revisions: [...first.revisions, { ...failed, generation: 2 }],
  failure: { generation: 2, release: 'r-2', reason: 'errors 4x of stable' },
  rollouts: [{ generation: 2, release: 'r-2', version: '1.0.0', strategy: 'rolling', startedAt: 1, endedAt: 61_000, outcome: 'failed' }],
};
const about = (declared: ServiceFields, release = 'r-2', of: ServiceState | undefined = state) =>
  takenBack(declared, { state: of, release });

describe('a declared release that was taken back', () => {
  it('is told with when and why, what runs instead, and that an apply of it is refused', () => {
    const found = about(fields) as TakenBack;
    expect(found).toEqual({
      release: 'r-2',
      reason: 'errors 4x of stable',
      runs: 'r-1',
      at: '1970-01-01T00:01:01Z',
      isTriedAgain: 'no',
    });
    expect(refusedInWords(found)).toBe('r-2 was taken back at 1970-01-01T00:01:01Z and is not tried again as it is');
    expect(problem('release_taken_back', { service: 'agent', ...found })).toMatchObject({
      message:
        "The release r-2 of 'agent' was taken back at 1970-01-01T00:01:01Z (errors 4x of stable). r-1 runs, and it is not tried again as it is: an apply of it fails and changes nothing.",
      help: expect.stringContaining('sluice rollout retry agent'),
    });
  });

  it('is tried again where its way or its health check is another, though its release is the same', () => {
    expect(about(fieldsOf({ rollout: { strategy: 'rolling', max_surge: 2 } }))).toMatchObject({ isTriedAgain: 'yes' });
    expect(about(fieldsOf({ health: { start_period: '90s' } }))).toMatchObject({ isTriedAgain: 'yes' });
  });

  it('is none where another is declared, one is under way, all is well, or nothing serves', () => {
    const { failure: _, ...well } = state;
    const { stable: __, ...unserved } = state;
    expect(about(fields, 'r-3')).toBeUndefined();
    const others = [{ ...state, ...(candidate && { candidate }) }, well, unserved];
    expect(others.map((other) => about(fields, 'r-2', other))).toEqual([undefined, undefined, undefined]);
    expect(takenBack(fields, { state: undefined, release: 'r-2' })).toBeUndefined();
  });
});
