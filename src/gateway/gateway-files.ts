import { join } from 'node:path';

/** Names of the files in `<SLUICE_HOME>/gateway`; gateway and control plane meet only here and on the admin listener. */
export function gatewayFiles(folder: string): {
  readonly snapshot: string;
  readonly settings: string;
  readonly process: string;
  readonly starting: string;
  readonly token: string;
  readonly log: string;
  readonly output: string;
  readonly compileCache: string;
  readonly crew: string;
  readonly successor: string;
  readonly counts: string;
  readonly evidence: string;
  readonly haproxy: string;
} {
  return {
    snapshot: join(folder, 'table.json'),
    settings: join(folder, 'settings.json'),
    process: join(folder, 'process.json'),
    starting: join(folder, 'starting.json'),
    token: join(folder, 'admin.token'),
    log: join(folder, 'gateway.log'),
    output: join(folder, 'gateway.out'),
    compileCache: join(folder, 'compile-cache'),
    crew: join(folder, 'crew'),
    counts: join(folder, 'counts'),
    evidence: join(folder, 'evidence'),
    successor: join(folder, 'successor.json'),
    haproxy: join(folder, 'haproxy'),
  };
}
