import type { JsonObject } from '../digest/json.ts';
import { isStateful } from '../stack/kinds/index.ts';
import type { Kind } from '../stack/stack.ts';
import type { Action, Risk } from './plan.ts';

/** The graver of the plan's own view and, for an update, what is known of the content that changes. */
export function riskOf(action: Action, kind: Kind, fields: JsonObject, exists: boolean, ofUpdate: Risk = 'none'): Risk {
  const own = ownRiskOf(action, kind, fields, exists);
  return action === 'update' && order.indexOf(ofUpdate) > order.indexOf(own) ? ofUpdate : own;
}

const order: readonly Risk[] = ['none', 'low', 'medium', 'high'];

/** How much a change can hurt: losing data is high, an interruption or a change beneath data is medium. */
function ownRiskOf(action: Action, kind: Kind, fields: JsonObject, exists: boolean): Risk {
  if (action === 'none' || action === 'refresh') return 'none';
  if (action === 'create' || action === 'adopt' || action === 'move' || !exists) return 'low';
  // A secret from outside can be read again, and yet whoever uses it stands still without it.
  const holds = isStateful(kind, fields) || kind === 'secret';
  if (action === 'update') return holds ? 'medium' : 'low';
  return holds ? 'high' : 'medium';
}
