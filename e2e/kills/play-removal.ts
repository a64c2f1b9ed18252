import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceView } from '../../src/api/schemas/service.ts';
import { SluiceError } from '../../src/errors/sluice-error.ts';
import { until } from '../../src/testing/conditions.ts';
import { processesWorkingIn } from '../leftovers.ts';
import { delayMs, isAtRest, patienceMs, type Doomed, type Played, type World } from './play.ts';

/** The service leaves the stack, and once nothing is left of it, it comes again. Nobody is answered meanwhile, and nobody asks. */
export async function playRemoval(number: number, { place, keeper }: World, doom: Doomed): Promise<Played> {
  const { directory } = place.world;
  const word = `again-${number}`;
  const service = (): Promise<ServiceView | 'gone' | undefined> =>
    keeper.attempt((client) =>
      client.getService('default', 'agent').catch((error: unknown) => {
        if (error instanceof SluiceError && error.code === 'unknown_service') return 'gone' as const;
        throw error;
      }),
    );
  /** As the stack stands; again and again while the run of the last time was killed. */
  const apply = async (): Promise<void> => {
    const runs = await keeper.attempt((client) => client.listRuns({ limit: 1 }));
    if (!runs?.every(({ status }) => status !== 'running')) return;
    const request = { stack: '.', environment: 'default', allowMassDestroy: true };
    await keeper.attempt(async (client) => client.applyPlan((await client.createPlan(request)).id));
  };
  keeper.arm({ left: doom.kills, killed: doom.killed, sides: doom.sides });
  await writeFile(join(directory, 'stack.yaml'), 'resource_group: { name: shop }\n');
  await until(
    'the end of the service',
    async () => {
      const view = await service();
      if (view !== undefined && view !== 'gone') await apply();
      return view === 'gone';
    },
    patienceMs,
  );
  const leftOver = processesWorkingIn(directory, 'node agent.js').length;
  await place.write('{ strategy: rolling, progress_deadline: 1m }', { word, delayMs });
  const end = await until(
    'the service',
    async () => {
      const view = await service();
      if (view === 'gone') await apply();
      return view !== undefined && view !== 'gone' && isAtRest(view) && view;
    },
    patienceMs,
  );
  keeper.disarm();
  const routed = end.weights.map(({ release, percent }) => `${release} ${percent}`);
  const ended = { lost: [], answers: word, release: 'another', leftOver: 0, routed: [`${end.release} 100`] } as const;
  return {
    ...ended,
    answered: 0,
    killed: keeper.doom().killed.slice(doom.killed.length),
    answers: await place.ask('anybody'),
    leftOver,
    routed,
    expected: ended,
  };
}
