import { sluiceError } from '../../errors/sluice-error.ts';
import type { ModelledService, Question } from '../../simulate/question.ts';
import { defineCommand } from '../command.ts';
import { located } from '../diagnostics/located.ts';
import { exitCodes } from '../exit-codes.ts';
import { environment, stackOption, variables } from '../options.ts';
import {
  baselineErrors,
  baselineLatency,
  capacity,
  compare,
  fault,
  lasting,
  replicas,
  runs,
  seed,
  sources,
  traffic,
  users,
} from '../simulating/options.ts';
import { comparisonPage, strategyPage, type SimulatedStrategy } from '../simulating/page.ts';
import { createWaiting } from '../simulating/waiting.ts';
import { valueOf } from '../target/stack-problems.ts';
import { stackTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';

const leastMs = 600_000;

export const command = defineCommand({
  description:
    'Plays rollouts of a service with a fault before there is one: the real state machine, evidence and scaling, over modelled instances and requests in virtual time. Says how soon the fault is found, how many users meet it, how often a sound release would be taken back, and what it costs. Needs no control plane and changes nothing.',
  arguments: [{ name: 'service', description: 'Name of a service of the stack', required: true }],
  options: {
    fault,
    traffic,
    compare,
    source: sources,
    capacity,
    baselineErrors,
    baselineLatency,
    users,
    replicas,
    duration: lasting,
    runs,
    seed,
    environment,
    var: variables,
    stack: { ...stackOption, description: 'Stack that declares the service: a file or a folder. Default: the current folder' },
  },
  examples: [
    { command: 'sluice simulate reasoning-agent --fault error_rate=0.05 --traffic 50rps', comment: 'one answer in twenty fails' },
    { command: 'sluice simulate reasoning-agent --fault latency=2x --compare rolling,blue_green,canary', comment: 'side by side' },
    {
      command: 'sluice simulate reasoning-agent --fault latency=2x --capacity 20rps',
      comment: 'where load decides how many instances there are',
    },
    {
      command: 'sluice simulate reasoning-agent --source slo=fail@30s',
      comment: 'a further source of evidence finds something after 30 s',
    },
    { command: 'sluice simulate reasoning-agent --fault none --runs 1000 --json', comment: 'false alarms, for a program' },
  ],
  exitCodes: { 0: 'played', 1: 'the stack is not valid, or could not be applied' },
  run: async ({ terminal, global, arguments: { service: name }, options }) => {
    const target = stackTarget(options.stack, global, terminal);
    const [
      { loadStack },
      { simulate },
      { loadOn },
      { declaredService, declaredSources, leastMs: rolloutMs, wayInWords, withStrategy },
      { notesOn },
    ] = await Promise.all([
      import('../../stack/load.ts'),
      import('../../simulate/simulate.ts'),
      import('../../simulate/load-of-question.ts'),
      import('../../simulate/modelled-service.ts'),
      import('../../simulate/notes.ts'),
    ]);
    const loaded = await loadStack(target.path, {
      variables: options.var,
      ...(options.environment !== undefined && { environment: options.environment }),
    });
    const declared = await declaredService(valueOf(loaded, target, terminal), name);
    if (declared.problems.length > 0) {
      throw sluiceError('stack_refused', { count: declared.problems.length }, { problems: located(declared.problems, target.root) });
    }
    if (declared.fields.rollout.strategy === 'auto' && !options.compare) {
      throw sluiceError('usage', {
        reason: `The way of ${name} is chosen by what changes; pass --compare with the strategies to look at.`,
      });
    }
    const sized = (service: ModelledService): ModelledService => ({ ...service, replicas: options.replicas ?? service.replicas });
    const wanted = options.compare?.map((strategy) => withStrategy(declared, strategy)) ?? [declared.service];
    const services = wanted.map(sized);
    if (services.some((service) => service.replicas < 1))
      throw sluiceError('usage', { reason: `${name} has no instances; pass --replicas.` });
    const unknown = options.source.find(({ name: source }) => !declaredSources(declared).includes(source));
    if (unknown) {
      const known = declaredSources(declared).join(', ') || 'none';
      throw sluiceError('usage', {
        reason: `--source '${unknown.name}': ${name} declares no such source of evidence; it declares ${known}.`,
      });
    }
    const general: Omit<Question, 'service'> = {
      fault: options.source.length > 0 ? { ...options.fault, sources: options.source } : options.fault,
      perSecond: options.traffic,
      ...loadOn(declared.service.scaling, {
        replicas: sized(declared.service).replicas,
        perSecond: options.traffic,
        baselineMs: options.baselineLatency,
        capacity: options.capacity,
      }),
      users: options.users ?? Math.max(1, Math.round(options.traffic * 60)),
      baselineErrors: options.baselineErrors,
      durationMs: options.duration ?? Math.max(leastMs, ...services.map((service) => 2 * rolloutMs(service))),
    };
    const all: SimulatedStrategy[] = [];
    for (const service of services) {
      const waiting = createWaiting(terminal, service.rollout.strategy);
      const found = await simulate(
        { ...general, service },
        { seed: options.seed ?? 1, runs: options.runs ?? 100, onProgress: waiting.told },
      );
      waiting.end();
      all.push({ strategy: service.rollout.strategy, way: wayInWords(service), result: found });
    }
    const notes = [...new Set(services.flatMap((service) => notesOn({ ...general, service })))];
    if (global.json) {
      printJson(terminal, {
        service: name,
        ...general,
        seed: options.seed ?? 1,
        strategies: all.map(({ result: found, ...way }) => ({ ...way, ...found })),
        notes,
      });
      return exitCodes.ok;
    }
    const page = options.compare ? comparisonPage(all, terminal.out) : all.map((each) => strategyPage(each, terminal.out)).join('\n');
    terminal.out.write(page);
    for (const line of notes) note(terminal, line);
    return exitCodes.ok;
  },
});
