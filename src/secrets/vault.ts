/**
 * Keeps secret values readable only with a key that is stored outside the database (AES-256-GCM, a fresh nonce per value).
 * A sealed value is a printable string that reveals nothing but its length.
 */
export interface Vault {
  seal(plaintext: string): string;
  /** Throws `secret_unreadable` when the value was altered or sealed with another key. */
  open(sealed: string): string;
  /** Keyed digest (HMAC-SHA-256): tells whether a secret changed without storing it. */
  fingerprint(plaintext: string): `sha256:${string}`;
}
