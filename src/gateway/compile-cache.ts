import { enableCompileCache, flushCompileCache } from 'node:module';
import { gatewayFiles } from './gateway-files.ts';

/** By then what serves has been compiled too, and not just what was loaded. */
const settledMs = 1_000;

/** To be called before anything else is loaded. What has been compiled already is kept where the environment says, else in the folder of the gateway. */
export function useCompileCache(folder: string): void {
  enableCompileCache(process.env['NODE_COMPILE_CACHE'] ?? gatewayFiles(folder).compileCache);
}

/** Node keeps it when a process ends in order: these are ended without, or run for months. Costs some milliseconds where there is anything new. */
export function keepCompiled(): void {
  setTimeout(flushCompileCache, settledMs).unref();
}
