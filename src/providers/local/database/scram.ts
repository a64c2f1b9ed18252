import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

/**
 * The verifier PostgreSQL stores for a password (RFC 5803 as `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`). Given this in place of
 * the password, a statement that ends up in a server's log gives nothing away.
 */
export function scramVerifier(password: string, salt: Uint8Array, iterations = 4096): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const keyed = (label: string): Buffer => createHmac('sha256', salted).update(label).digest();
  const storedKey = createHash('sha256').update(keyed('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString('base64')}$${storedKey}:${keyed('Server Key').toString('base64')}`;
}
