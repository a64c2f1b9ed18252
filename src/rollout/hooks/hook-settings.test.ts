import { describe, expect, it } from 'vitest';
import { rollout } from '../../stack/kinds/service/rollout.ts';
import { explicitRollout } from '../auto/explicit-rollout.ts';
import { rolloutSettings } from '../rollout-settings.ts';

const hook = { name: 'load', url: 'https://x.example/', secret: '${secret.key}', timeout: '90s', retries: 1, on_failure: 'hold' };

describe('declared hooks', () => {
  it('are taken as the strategies know them, in their places, with secrets as references', () => {
    const declared = {
      strategy: 'canary',
      steps: [{ weight: 5, hooks: [{ ...hook, when: 'before' }] }],
      hooks: [{ name: 'end', url: 'http://y/', when: 'end' }],
    };
    const { stages, hooks } = rolloutSettings(rollout.parse(declared));
    expect([stages?.[0]?.hooks, hooks]).toEqual([
      [
        {
          name: 'load',
          url: 'https://x.example/',
          secret: '${secret.key}',
          timeoutMs: 90_000,
          retries: 1,
          onFailure: 'hold',
          when: 'before',
        },
      ],
      [{ name: 'end', url: 'http://y/', timeoutMs: 30_000, retries: 3, onFailure: 'rollback', when: 'after' }],
    ]);
    expect(rolloutSettings(rollout.parse({})).hooks).toBeUndefined();
  });

  it('hold under auto, whichever way is chosen', () => {
    const declared = rollout.parse({ strategy: 'auto', hooks: [hook] });
    expect(explicitRollout(declared, { strategy: 'blue_green', pace: 'usual' }).hooks).toMatchObject([{ name: 'load' }]);
    expect(explicitRollout(declared, { strategy: 'canary', pace: 'careful' }).hooks).toMatchObject([{ name: 'load' }]);
    expect(explicitRollout(declared, { strategy: 'rolling', pace: 'usual' }).hooks).toMatchObject([{ name: 'load' }]);
  });
});
