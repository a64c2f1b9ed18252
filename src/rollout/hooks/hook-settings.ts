import { parseDurationMs } from '../../stack/fields/duration.ts';
import type { HookFields } from '../../stack/kinds/service/hooks.ts';
import type { HookSettings } from './hook.ts';

/** Declared hooks as the strategies take them; nothing where none is declared. */
export function hookSettings(declared: readonly HookFields[] | undefined): { readonly hooks?: readonly HookSettings[] } {
  if (!declared) return {};
  return {
    hooks: declared.map(({ name, url, secret, timeout, retries, on_failure, when }) => ({
      name,
      url,
      ...(secret !== undefined && { secret }),
      timeoutMs: parseDurationMs(timeout),
      retries,
      onFailure: on_failure,
      when: when === 'start' || when === 'before' ? 'before' : 'after',
    })),
  };
}
