import type { Kind } from '../stack/stack.ts';
import type { Action, Risk } from './plan.ts';

/** Kinds that hold data which a replacement loses. */
const holdsData: ReadonlySet<Kind> = new Set<Kind>(['database', 'queue', 'secret']);

/** How much a change can hurt: losing data is high, an interruption or a change beneath data is medium. */
export function riskOf(action: Action, kind: Kind, exists: boolean): Risk {
  if (action === 'none') return 'none';
  const holds = holdsData.has(kind);
  if (action === 'create' || !exists) return 'low';
  if (action === 'update') return holds ? 'medium' : 'low';
  return holds ? 'high' : 'medium';
}
