import type { ListenerRoute } from '../routing-table.ts';

/** Where one of an environment's public doors is. */
export interface PublicAddress {
  readonly environment: string;
  readonly host: string;
  readonly port: number;
  readonly isEncrypted: boolean;
}

/** The plain door of a listener, and its encrypted twin. */
export function publicAddresses({ environment, host, port, tls }: ListenerRoute): readonly PublicAddress[] {
  const plain = { environment, host, port, isEncrypted: false };
  return tls === undefined ? [plain] : [plain, { environment, host, port: tls.port, isEncrypted: true }];
}
