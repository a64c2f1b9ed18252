/** What a program may import from the package: the client of a control plane, its errors, and the language. */
export { createClient, type Client } from './api/client.ts';
export { findControlPlane, startControlPlane } from './control-plane/discovery.ts';
export { SluiceError, type Problem, type SourcePosition } from './errors/sluice-error.ts';
export type { Plan, Change, FieldChange } from './plan/plan.ts';
export { loadStack } from './stack/load.ts';
export { stackJsonSchema } from './stack/schema.ts';
export type { ResolvedStack, ResolvedBlock } from './stack/stack.ts';
export { validateStack } from './stack/validate.ts';
