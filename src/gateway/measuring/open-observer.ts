import { join } from 'node:path';
import type { Clock } from '../../effects/clock.ts';
import type { Random } from '../../effects/random.ts';
import type { GatewayLog } from '../log.ts';
import { type AccessLog, createAccessLog } from './access-log.ts';
import type { ObserverSettings } from './observer-settings.ts';
import { observers, type RequestObserver } from './observer.ts';
import { createOtlpExporter } from './otlp.ts';
import { createRotatingFile } from './rotating-file.ts';
import { createSpans } from './spans.ts';

export interface ObserverDependencies {
  /** For the access log. */
  readonly folder: string;
  /** Tells the files of several workers apart. */
  readonly worker: string;
  readonly settings: ObserverSettings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Pick<Random, 'next'>;
  readonly identifier: (bytes: number) => string;
  readonly log: GatewayLog;
  readonly version: string;
}

/** The access log `access-<worker>.log` and the export of traces, as settings and environment have it; undefined when there is neither. */
export function openObserver(dependencies: ObserverDependencies): RequestObserver | undefined {
  return observers([openAccessLog(dependencies), tracesOf(dependencies)].filter((each) => each !== undefined));
}

/** Whether spans are exported. */
export function hasTraces({ settings, environment }: Pick<ObserverDependencies, 'settings' | 'environment'>): boolean {
  return endpointOf(settings, environment) !== undefined;
}

/** The access log alone; undefined when it is off. */
export function openAccessLog(
  dependencies: Pick<ObserverDependencies, 'folder' | 'worker' | 'settings' | 'clock' | 'random' | 'log'>,
): AccessLog | undefined {
  const { folder, worker, settings, clock, random, log } = dependencies;
  const { accessLog = { sampleRate: 0, maxBytes: 10 * 1_048_576, oldFiles: 3 } } = settings;
  if (accessLog === 'off') return undefined;
  const file = createRotatingFile({
    path: join(folder, `access-${worker}.log`),
    maxBytes: accessLog.maxBytes,
    oldFiles: accessLog.oldFiles,
    onError: (error) => log.warn({ reason: error.message }, 'the access log cannot be written'),
  });
  return createAccessLog({ file, clock, random, sampleRate: accessLog.sampleRate });
}

function tracesOf({ settings, environment, clock, identifier, log, version, worker }: ObserverDependencies): RequestObserver | undefined {
  const url = endpointOf(settings, environment);
  if (url === undefined) return undefined;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    log.warn({}, 'the endpoint for traces is not an http address, so none are sent');
    return undefined;
  }
  const exporter = createOtlpExporter({
    url,
    headers: headersOf(environment['OTEL_EXPORTER_OTLP_HEADERS']),
    resource: { 'service.name': 'sluice-gateway', 'service.version': version, 'service.instance.id': worker },
    onError: (reason) => log.warn({ reason }, 'spans cannot be sent'),
  });
  return createSpans({ exporter, clock, identifier, sampleRate: settings.traces?.sampleRate ?? 0.1 });
}

/** The settings come first; the general endpoint of OpenTelemetry is a base, the one for traces is used as it is. */
function endpointOf({ traces }: ObserverSettings, environment: ObserverDependencies['environment']): string | undefined {
  const base = traces?.endpoint ?? environment['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (traces?.endpoint === undefined) {
    const own = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
    if (own !== undefined && own !== '') return own;
  }
  return base === undefined || base === '' ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`;
}

/** `name=value,name=value` with URL-encoded values, as OpenTelemetry has it. What is not well formed is left out. */
function headersOf(text: string | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of (text ?? '').split(',')) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, at)).trim();
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) continue;
    try {
      headers[name] = decodeURIComponent(pair.slice(at + 1).trim());
    } catch {
      continue;
    }
  }
  return headers;
}
