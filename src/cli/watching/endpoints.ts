import type { ServiceView } from '../../api/schemas/service.ts';
import type { Channel } from '../terminal/terminal.ts';
import { curlFor } from './call-example.ts';

/** URLs and a request to paste for every service that is exposed; empty when none is. */
export function renderEndpoints(services: readonly ServiceView[], { colors }: Channel): string {
  const lines = services
    .filter(({ urls }) => urls.length > 0)
    .flatMap((service) => {
      const ready = service.replicas.ready >= 1 ? '' : colors.yellow('  (not ready yet)');
      return ['', `${colors.bold(service.name)}  ${colors.cyan(service.urls.join('  '))}${ready}`, `  ${curlFor(service) ?? ''}`];
    });
  return lines.length === 0 ? '' : `${lines.join('\n')}\n\n`;
}
