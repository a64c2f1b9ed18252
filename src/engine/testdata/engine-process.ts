// An engine in a process of its own, over a SQLite file and a world in a folder: `engine-process FOLDER apply NAME...` or
// `engine-process FOLDER unlock`. Prints how it ended as JSON.
import { join } from 'node:path';
import { systemClock } from '../../effects/clock.ts';
import { systemRandom } from '../../effects/random.ts';
import { toSluiceError } from '../../errors/sluice-error.ts';
import { createProviderRegistry } from '../../providers/registry.ts';
import { createVault } from '../../secrets/file-vault.ts';
import { openSqliteStore } from '../../store/sqlite-store.ts';
import { createEventLog } from '../../telemetry/event-log.ts';
import { createEngine } from '../engine.ts';
import { createPlanner } from '../planner.ts';
import { blockOf, environment, stackOf } from './control-plane.ts';
import { createFolderProvider } from './folder-provider.ts';

const [folder = '', verb, ...names] = process.argv.slice(2);
const [clock, random] = [systemClock, systemRandom];
const store = await openSqliteStore({ path: join(folder, 'state.db') });
const providers = createProviderRegistry({ environmentProviders: { simulated: createFolderProvider(folder) }, kindProviders: [] });
const vault = createVault(new Uint8Array(32), random);
const events = createEventLog({ store, clock });
const engine = createEngine({ store, providers, vault, events, clock, random });

async function perform(): Promise<unknown> {
  if (verb === 'unlock') return (await engine.unlock(environment, 'test')) ?? 'free';
  const stack = stackOf(...names.map((name) => blockOf('cache', name)));
  const plan = await createPlanner({ store, providers, vault, clock, random }).plan(stack, { allowMassDestroy: true });
  const { status } = await engine.apply(plan, stack, { run: `run-${process.pid}`, signal: new AbortController().signal, concurrency: 1 });
  return { status };
}

const outcome = await perform().catch((thrown: unknown) => {
  const { code, message } = toSluiceError(thrown);
  return { code, message };
});
console.log(JSON.stringify(outcome));
await store.close();
