import type { JsonObject } from '../../digest/json.ts';
import { parseDurationMs } from '../../stack/fields/duration.ts';
import type { ServiceFields } from '../../stack/kinds/service.ts';
import type { ExperimentSettings } from './experiment-state.ts';

/** A declared experiment as the strategy takes it. */
export function experimentSettings(declared: NonNullable<ServiceFields['rollout']['experiment']>): ExperimentSettings {
  const { metric, arms, share, min_units, alpha, on_winner } = declared;
  return {
    metric: { attribute: metric.attribute, value: metric.value, goal: metric.goal },
    arms: Object.keys(arms),
    share,
    forMs: parseDurationMs(declared.for),
    minUnits: min_units,
    alpha,
    onWinner: on_winner,
  };
}

/**
 * The service's fields with what an arm has instead: each arm is a service of its own to whoever makes a release of it. Works on fields as
 * declared and on resolved ones; `env` is added to, the others are replaced.
 */
export function armFields(fields: ServiceFields, name: string): ServiceFields {
  const { env, ...instead } = fields.rollout.experiment?.arms[name] ?? {};
  const given = Object.fromEntries(Object.entries(instead).filter(([, value]) => value !== undefined));
  return { ...fields, ...given, env: { ...fields.env, ...env } };
}

/** As `armFields`, of fields whose type is not known. */
export function armFieldsOf(fields: JsonObject, name: string): JsonObject {
  const own: unknown = armFields(fields as unknown as ServiceFields, name);
  return own as JsonObject;
}

/** Names of the arms a service declares beside the plain candidate. */
export function declaredArms(fields: ServiceFields): readonly string[] {
  return Object.keys(fields.rollout.experiment?.arms ?? {});
}
