import type { JsonObject } from '../digest/json.ts';
import { isStateful } from '../stack/kinds/index.ts';
import type { Kind } from '../stack/stack.ts';
import type { Action, Risk } from './plan.ts';

/** How much a change can hurt: losing data is high, an interruption or a change beneath data is medium. */
export function riskOf(action: Action, kind: Kind, fields: JsonObject, exists: boolean): Risk {
  if (action === 'none' || action === 'refresh') return 'none';
  if (action === 'create' || action === 'adopt' || action === 'move' || !exists) return 'low';
  // A secret from outside can be read again, and yet whoever uses it stands still without it.
  const holds = isStateful(kind, fields) || kind === 'secret';
  if (action === 'update') return holds ? 'medium' : 'low';
  return holds ? 'high' : 'medium';
}
