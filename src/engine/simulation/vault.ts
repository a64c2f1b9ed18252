import type { Vault } from '../../secrets/vault.ts';
import { createTrace } from './trace.ts';

const prefix = 'sealed:simulated:';

/** The vault's port without its cost: what it seals cannot be read at a glance, which is all that a search for a canary needs. */
export const simulatedVault: Vault = {
  seal: (plaintext) => `${prefix}${Buffer.from(plaintext, 'utf8').toString('base64url')}`,
  open: (sealed) => Buffer.from(sealed.slice(prefix.length), 'base64url').toString('utf8'),
  fingerprint: (plaintext) => {
    const trace = createTrace(false);
    trace.add(plaintext);
    return `sha256:${trace.digest()}`;
  },
};
