import { revisionOf, type ServiceState } from '../service-state.ts';
import { watching } from './witness.ts';
import type { Watch, World } from './world.ts';

interface TraceWatch extends Watch {
  readonly say: (world: World, line: string) => void;
}

/** Tells what happens, a line each, with the seconds since the beginning; `tell` undefined tells nobody. */
export function traceWatch(tell: ((line: string) => void) | undefined): TraceWatch {
  let last = '';
  let lastRoute = '';
  const say = (world: World, line: string): void => tell?.(`${(world.clock.monotonic() / 1_000).toFixed(3).padStart(10)}  ${line}`);
  if (!tell) return { ...watching({}), say };
  return {
    ...watching({
      stored(_, after, world) {
        const line = after ? stateInWords(after) : 'gone';
        if (line !== last) say(world, `stored    ${line}`);
        last = line;
      },
      stops: (instance, _, world) => say(world, `stops     ${instance}`),
      published(world) {
        const backends = world.traffic.route({ environment: 'default', name: 'agent' })?.backends ?? [];
        const line = backends
          .map(
            ({ release, weight, instances }) =>
              `${release} ${Number(weight.toFixed(2))} (${instances.map(({ id, state }) => `${id.split('-').at(-1)}${state === 'active' ? '' : ' draining'}`).join(' ')})`,
          )
          .join(', ');
        if (line !== lastRoute) say(world, `published ${line}`);
        lastRoute = line;
      },
      crashed: (moment, world) => say(world, `CRASH     ${moment}`),
    }),
    say,
  };
}

function stateInWords(state: ServiceState): string {
  const { candidate, failure, stable, mode, replicas } = state;
  const name = (generation: number | undefined): string => `${revisionOf(state, generation)?.release ?? '-'}#${generation ?? ''}`;
  const course = candidate?.course;
  const verdict = course?.evidence?.verdict;
  const parts = [
    mode === 'running' ? '' : mode,
    `stable ${stable === undefined ? 'none' : name(stable)} x${replicas}`,
    candidate ? `candidate ${name(candidate.generation)}${candidate.urgent === true ? ' urgent' : ''}` : '',
    course ? `stage ${course.stage} at ${course.weight} %${course.inForceSince === undefined ? '' : ' in force'}` : '',
    verdict ? `${verdict.verdict} of ${Math.floor(verdict.units / 50) * 50}+` : '',
    candidate?.paused ? `held (${candidate.paused.reason})` : '',
    failure ? `failed ${name(failure.generation)}: ${failure.reason}` : '',
    state.instances.map(({ id, generation, phase }) => `${id.split('-').at(-1)}/${generation} ${phase}`).join(', '),
  ];
  return parts.filter((part) => part !== '').join('; ');
}
