import { describeWorkloadsContract } from '../../providers/workloads-contract.ts';
import type { InstanceSpec } from '../../providers/workloads.ts';
import type { Behaviour } from './memory-workloads.ts';
import { createMemoryWorkloads } from './memory-workloads.ts';
import { createVirtualClock } from './virtual-clock.ts';

const behaviours: Readonly<Record<string, Behaviour>> = {
  serve: { readyAfter: 50, stopsAfter: 20 },
  exit: { exitsAfter: 10 },
  deaf: { readyAfter: 50 },
};

describeWorkloadsContract('in-memory', async () => {
  const clock = createVirtualClock();
  const workloads = createMemoryWorkloads({ clock, behaviourOf: ({ command }) => behaviours[command[0] ?? ''] ?? {} });
  return {
    workloads,
    spec: (id, behaviour): InstanceSpec => ({
      id,
      service: 'default/service/agent',
      release: 'r-1',
      command: [behaviour],
      directory: '/',
      environment: {},
    }),
    async until(what, condition) {
      for (let attempt = 0; attempt < 100; attempt += 1) {
        if (await condition()) return;
        await clock.advance(20);
      }
      throw new Error(`waited in vain for: ${what}`);
    },
    async settle(promise) {
      await clock.advance(10_000);
      return promise;
    },
    dispose: async () => undefined,
  };
});
