import { capacityFor, stagesOf } from './course.ts';
import type { RolloutSettings } from './service-state.ts';

/**
 * `canary: 5 % for 10m, 25 % until promoted, then 100 %; 1 to 4 instances more meanwhile; taken back by itself ...`: the way a new release
 * takes, what it costs and what is at risk. Undefined for strategies without stages.
 */
export function rolloutInWords(service: {
  readonly settings: { readonly rollout: RolloutSettings };
  readonly replicas: number;
}): string | undefined {
  const { rollout } = service.settings;
  const { strategy, stages, fullSet, analysis, smoke, keepPreviousMs } = rollout;
  if (stages === undefined && fullSet !== true) return undefined;
  const settings = { rollout, expose: [], calls: [], drainMs: 0 };
  const all = stagesOf({ settings });
  const [least, most] = [all[0]?.weight ?? 100, all.at(-1)?.weight ?? 100].map((weight) =>
    capacityFor(weight, { replicas: service.replicas, settings }),
  );
  const steps = all.map(
    ({ weight, forMs, approval }) => `${weight} %${forMs > 0 ? ` for ${forMs / 1_000} s` : ''}${approval ? ' until promoted' : ''}`,
  );
  const extra = least === most ? `${most}` : `${least} to ${most}`;
  const kept = keepPreviousMs === undefined ? '' : `, and ${service.replicas} kept ready for ${keepPreviousMs / 1_000} s after it`;
  const hooks = [rollout, ...(stages ?? [])].flatMap((place) => place.hooks ?? []).filter(({ onFailure }) => onFailure === 'rollback');
  const checks = [
    ...(smoke ? [`a smoke check of ${smoke.path}`] : []),
    ...(analysis ? ['evidence against it'] : []),
    ...hooks.map(({ name }) => `a no of the hook ${name}`),
    'a failing start',
  ];
  const end = rollout.onFailure === 'hold' && analysis ? 'held' : 'taken back by itself';
  return `${strategy}: ${steps.join(', then ')}; ${extra} ${most === 1 ? 'instance' : 'instances'} more meanwhile${kept}; ${end} at ${checks.join(' or ')}`;
}
