// One operation of Sluice in a process of its own: node sluice.ts OPERATION FOLDER [SIZE]. Prints one line of JSON.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/effects/clock.ts';
import { systemRandom } from '../../src/effects/random.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { createPlanner } from '../../src/engine/planner.ts';
import { type Plan, summarize } from '../../src/plan/plan.ts';
import { createProviderRegistry } from '../../src/providers/registry.ts';
import { createSimulatedProvider } from '../../src/providers/simulated/simulated-provider.ts';
import { createSimulatedWorld, type SimulatedWorld } from '../../src/providers/simulated/simulated-world.ts';
import { openFileVault } from '../../src/secrets/file-vault.ts';
import { loadStack } from '../../src/stack/load.ts';
import type { Address, ResolvedStack } from '../../src/stack/stack.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { createEventLog } from '../../src/telemetry/event-log.ts';
import { denseStack } from './dense-stack.ts';

const [operation = '', folder = '', ...rest] = process.argv.slice(2);
const environment = 'bench';
const worldFile = join(folder, 'world.json');
const phases: Record<string, number> = {};

const world = await readWorld();
const store = await timed('open', () => openSqliteStore({ path: join(folder, 'state.db') }));
const vault = await openFileVault({ keyFile: join(folder, 'state.key'), random: systemRandom });
const provider = createSimulatedProvider({ world, clock: systemClock, random: systemRandom });
const providers = createProviderRegistry({ environmentProviders: { simulated: provider }, kindProviders: [] });
const shared = { store, vault, providers, clock: systemClock, random: systemRandom };
const planner = createPlanner(shared);
const engine = createEngine({ ...shared, events: createEventLog({ store, clock: systemClock }) });

const began = performance.now();
const plan = await carryOut();
const seconds = (performance.now() - began) / 1_000;
await store.close();
if (operation !== 'plan') await writeFile(worldFile, JSON.stringify({ resources: [...world.resources], made: world.made }));
const memoryMb = Math.round(process.resourceUsage().maxRSS / 1_024);
console.log(JSON.stringify({ seconds, phases, memoryMb, summary: summarize(plan) }));

async function carryOut(): Promise<Plan> {
  if (operation === 'destroy') {
    const allowDestroy = (await store.list('resources', `${environment}/`)).map(({ key }) => key);
    const plan = await timed('plan', () => planner.planDestroy(environment, { allowDestroy }));
    await apply(plan, undefined);
    return plan;
  }
  const stack = await timed('load', load);
  if (operation === 'drift') changeOutside();
  const plan = await timed('plan', () => planner.plan(stack));
  if (operation === 'create') await apply(plan, stack);
  return plan;
}

async function apply(plan: Plan, stack: ResolvedStack | undefined): Promise<void> {
  const report = await timed('apply', () => engine.apply(plan, stack, { run: 'bench', signal: new AbortController().signal }));
  if (report.status !== 'succeeded') throw new Error(`the run ${report.status}`);
}

async function load(): Promise<ResolvedStack> {
  if (rest[0] === 'dense') return denseStack(Number(rest[1]));
  const loaded = await loadStack(join(folder, 'stack'));
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('\n'));
  return loaded.value;
}

/** One in a hundred is changed by somebody else. */
function changeOutside(): void {
  for (const [index, [address, resource]] of [...world.resources].entries()) {
    if (index % 100 === 50) world.resources.set(address, { ...resource, declared: { ...resource.declared, address_space: '10.9.0.0/16' } });
  }
}

async function timed<Value>(phase: string, work: () => Promise<Value>): Promise<Value> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    phases[phase] = Number(((performance.now() - start) / 1_000).toFixed(3));
  }
}

async function readWorld(): Promise<SimulatedWorld> {
  const text = await readFile(worldFile, 'utf8').catch(() => undefined);
  if (text === undefined) return createSimulatedWorld();
  const { resources, made } = JSON.parse(text) as { resources: [Address, never][]; made: number };
  return createSimulatedWorld(resources, made);
}
