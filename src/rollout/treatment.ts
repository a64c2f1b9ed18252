import type { FormerRelease, RevisionContent, ServiceState, Treatment } from './service-state.ts';

/** How stable is treated, to be remembered before a rollout brings another block's settings. One that was taken back has brought them. */
export function treatmentOfStable({ settings, candidate, failure, stableTreatment }: ServiceState): Treatment {
  const { drainMs, policies } = settings;
  return ((candidate || failure) && stableTreatment) || { drainMs, ...(policies && { policies }) };
}

/** A former release as its revision is made, without what only the history knows. */
export function contentOfFormer(former: FormerRelease): RevisionContent {
  const { treatment: _, ...content } = former;
  return content;
}

/** The state whose requests are treated as they were while the release was in use. */
export function treatedAs(state: ServiceState, { treatment }: FormerRelease): ServiceState {
  if (!treatment) return state;
  const { policies: _, ...settings } = state.settings;
  return { ...state, stableTreatment: treatmentOfStable(state), settings: { ...settings, ...treatment } };
}
