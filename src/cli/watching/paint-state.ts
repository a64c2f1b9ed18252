import type { Colors } from 'picocolors/types.js';

const good = new Set(['ready', 'active', 'running', 'succeeded', 'done']);
const bad = new Set(['failed', 'degraded', 'crash_looping', 'giving_up', 'stopped', 'revoked', 'cancelled']);

/** Green for what is well, red for what is not, yellow for what is on its way. */
export function paintState(text: string, colors: Colors): string {
  if (good.has(text)) return colors.green(text);
  return bad.has(text) ? colors.red(text) : colors.yellow(text);
}
