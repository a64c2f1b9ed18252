import { type Digest, digestJson } from '../digest/digest.ts';
import type { Problem } from '../errors/sluice-error.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { rolloutInWords } from '../rollout/rollout-in-words.ts';
import { rolloutSettings } from '../rollout/rollout-settings.ts';
import { checkService } from '../rollout/service-check.ts';
import { scalingSettings } from '../rollout/service-specification.ts';
import type { RolloutSettings } from '../rollout/service-state.ts';
import { trafficPolicies } from '../rollout/traffic-policies.ts';
import { isNone } from '../stack/fields/allowance.ts';
import { parseDurationMs } from '../stack/fields/duration.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import { rollout as rolloutSchema } from '../stack/kinds/service/rollout.ts';
import type { ResolvedStack } from '../stack/stack.ts';
import type { ModelledService } from './question.ts';

/** The strategies that can be put side by side. */
export const comparable = ['rolling', 'blue_green', 'canary'] as const;
export type ComparableStrategy = (typeof comparable)[number];

export interface DeclaredService {
  readonly service: ModelledService;
  readonly fields: ServiceFields;
  /** What a plan would refuse it for. */
  readonly problems: readonly Problem[];
}

/** A model starts no image: what one stands for makes no difference to it, nor whether there is an engine. */
const modelledImage = async (reference: string): Promise<Digest> => digestJson(reference);

/** A service as the stack declares it. Throws `service_not_declared`. */
export async function declaredService(stack: ResolvedStack, name: string): Promise<DeclaredService> {
  const services = stack.blocks.filter(({ kind }) => kind === 'service');
  const block = services.find((candidate) => candidate.name === name);
  if (!block) throw sluiceError('service_not_declared', { service: name, names: services.map((each) => each.name) });
  const fields = block.fields as unknown as ServiceFields;
  const found = await checkService(block, stack, modelledImage);
  const problems = found.filter(({ severity }) => severity === 'error');
  return { service: modelOf(fields, rolloutSettings(fields.rollout)), fields, problems };
}

/** The service with another strategy: the declared one as it is, any other as it would be by default. */
export function withStrategy({ fields }: Pick<DeclaredService, 'fields'>, strategy: ComparableStrategy): ModelledService {
  return modelOf(
    fields,
    fields.rollout.strategy === strategy ? rolloutSettings(fields.rollout) : rolloutSettings(byDefault(strategy, fields)),
  );
}

/** Names of the sources of evidence beside the gateway. */
export function declaredSources({ service }: Pick<DeclaredService, 'service'>): readonly string[] {
  return (service.rollout.analysis?.sources ?? []).map(({ name }) => name);
}

/** `5 % for 1m, then 100 %; taken back by itself ...`, for people. */
export function wayInWords({ rollout }: ModelledService): string {
  return rolloutInWords(rollout);
}

/** How long a step that ends when the evidence passes it is looked at here. */
const patienceMs = 900_000;

/** Milliseconds that a rollout takes at least, by what is declared. */
export function leastMs({ rollout }: ModelledService): number {
  return (rollout.stages ?? []).reduce((sum, { forMs, passWithinMs = 0 }) => sum + forMs + Math.min(passWithinMs, patienceMs), 0);
}

function byDefault(strategy: ComparableStrategy, { rollout }: ServiceFields): ServiceFields['rollout'] {
  const { max_surge, progress_deadline } = rollout;
  const general = { strategy, max_surge: isNone(max_surge) ? 1 : max_surge, progress_deadline };
  if (strategy !== 'canary') return rolloutSchema.parse(general);
  return rolloutSchema.parse({
    ...general,
    steps: [
      { weight: 5, for: '1m' },
      { weight: 25, for: '2m' },
      { weight: 50, for: '2m' },
    ],
    analysis: { error_rate: {}, latency: {} },
  });
}

function modelOf(fields: ServiceFields, rollout: RolloutSettings): ModelledService {
  return {
    name: fields.name,
    replicas: fields.replicas,
    drainMs: parseDurationMs(fields.drain),
    health: {
      intervalMs: Math.max(10, parseDurationMs(fields.health.interval)),
      startPeriodMs: parseDurationMs(fields.health.start_period),
    },
    policies: trafficPolicies(fields),
    ...(fields.scaling && { scaling: scalingSettings(fields.scaling) }),
    rollout,
  };
}
