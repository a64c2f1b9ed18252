import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { timestamp, type Clock } from '../effects/clock.ts';
import { newId, type Random } from '../effects/random.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import type { Document, Store } from '../store/store.ts';
import { digestOfKey, keyPattern, newKey } from './key.ts';
import { allows, mayGrant, roles, type Role } from './roles.ts';

/** Who calls: the key that was shown. */
export interface Actor {
  readonly key: string;
  readonly name: string;
  readonly role: Role;
  /** The only environment it evaluates flags of; any when absent. */
  readonly environment?: string | undefined;
}

/** What may be told of a key: neither itself nor its digest. */
interface KeyDetails {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly environment?: string | undefined;
  readonly createdAt: string;
  readonly expiresAt?: string | undefined;
  readonly lastUsedAt?: string | undefined;
  readonly revokedAt?: string | undefined;
}

export interface Keyring {
  /** Whose key this is; undefined for one that is malformed, unknown, expired or revoked. */
  authenticate(key: string): Promise<Actor | undefined>;
  /** Whose key has this id; undefined as for `authenticate`. */
  holder(id: string): Promise<Actor | undefined>;
  /** Shows the key this one time. Throws `grant_exceeds_own`. */
  create(
    by: Role,
    request: { name: string; role: Role; environment?: string | undefined; expiresInSeconds?: number | undefined },
  ): Promise<{ key: string; details: KeyDetails }>;
  /** Takes in a key that stands in a file, as an administrator's; revokes those taken in before under the same name. */
  adopt(name: string, key: string): Promise<KeyDetails>;
  list(): Promise<readonly KeyDetails[]>;
  /** Revoking twice is no error. Throws `unknown_key`, `last_admin_key`. */
  revoke(id: string): Promise<KeyDetails>;
}

const collection = 'keys';
/** `lastUsedAt` is kept to the minute: a write for each request would cost more than it tells. */
const lastUsedGrainMs = 60_000;
/** How long what was read is trusted when asked who somebody is: so long a key that was revoked through another control plane still opens. */
const trustedMs = 100;

const storedKey = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(roles),
  environment: z.string().optional(),
  digest: z.string().length(64),
  createdAt: z.string(),
  expiresAt: z.string().optional(),
  lastUsedAt: z.string().optional(),
  revokedAt: z.string().optional(),
});
type StoredKey = z.infer<typeof storedKey>;

export function createKeyring({ store, clock, random }: { store: Store; clock: Clock; random: Random }): Keyring {
  let queue: Promise<unknown> = Promise.resolve();
  /** One change at a time: "is there another administrator?" must still be true when the revocation is written. */
  const exclusively = <Value>(change: () => Promise<Value>): Promise<Value> => {
    const result = queue.then(change);
    queue = result.catch(() => undefined);
    return result;
  };

  const all = async (): Promise<readonly { key: StoredKey; version: number }[]> =>
    (await store.list(collection)).map((document: Document) => ({ key: storedKey.parse(document.value), version: document.version }));

  /** A thousand programs that ask at one moment cost one look into the store. What is changed here holds at once. */
  let recent: { readonly at: number; readonly keys: Promise<readonly StoredKey[]> } | undefined;
  const known = (): Promise<readonly StoredKey[]> => {
    const at = clock.monotonic();
    if (recent !== undefined && at - recent.at < trustedMs) return recent.keys;
    const keys = all().then((found) => found.map(({ key }) => key));
    const mine = { at, keys };
    recent = mine;
    keys.catch(() => {
      if (recent === mine) recent = undefined;
    });
    return keys;
  };

  const put = async (key: StoredKey, ifVersion: number): Promise<void> => {
    try {
      await store.transact([{ operation: 'put', collection, key: key.id, value: { ...key }, ifVersion }]);
    } finally {
      recent = undefined;
    }
  };

  const isActive = (key: StoredKey): boolean =>
    key.revokedAt === undefined && (key.expiresAt === undefined || clock.now() < Date.parse(key.expiresAt));

  const add = async (key: string, details: Pick<StoredKey, 'name' | 'role' | 'environment' | 'expiresAt'>): Promise<StoredKey> => {
    const stored: StoredKey = { id: newId('key', random), ...details, digest: digestOfKey(key), createdAt: timestamp(clock.now()) };
    await put(stored, 0);
    return stored;
  };

  const noteUse = (key: StoredKey): Promise<unknown> =>
    exclusively(async () => {
      const current = (await all()).find((found) => found.key.id === key.id);
      if (current !== undefined) await put({ ...current.key, lastUsedAt: timestamp(clock.now()) }, current.version);
    });

  return {
    authenticate: async (key) => {
      if (!keyPattern.test(key)) return undefined;
      const digest = Buffer.from(digestOfKey(key), 'hex');
      let found: StoredKey | undefined;
      // Every key is compared, each in constant time: how long it takes tells nothing about which one matched.
      for (const candidate of await known()) {
        if (timingSafeEqual(Buffer.from(candidate.digest, 'hex'), digest)) found = candidate;
      }
      if (found === undefined || !isActive(found)) return undefined;
      if (found.lastUsedAt === undefined || clock.now() - Date.parse(found.lastUsedAt) >= lastUsedGrainMs) await noteUse(found);
      return actorOf(found);
    },

    holder: async (id) => {
      const found = (await known()).find((key) => key.id === id);
      return found !== undefined && isActive(found) ? actorOf(found) : undefined;
    },

    create: (by, { name, role, environment, expiresInSeconds }) =>
      exclusively(async () => {
        if (!mayGrant(by, role)) throw sluiceError('grant_exceeds_own', { own: by, wanted: role });
        const key = newKey(random);
        const expiresAt = expiresInSeconds === undefined ? undefined : timestamp(clock.now() + expiresInSeconds * 1000);
        return {
          key,
          details: detailsOf(
            await add(key, {
              name,
              role,
              ...(environment !== undefined && { environment }),
              ...(expiresAt !== undefined && { expiresAt }),
            }),
          ),
        };
      }),

    adopt: (name, key) =>
      exclusively(async () => {
        const digest = digestOfKey(key);
        const known = await all();
        const same = known.find((found) => found.key.digest === digest);
        if (same !== undefined) return detailsOf(same.key);
        const adopted = await add(key, { name, role: 'admin' });
        for (const { key: older, version } of known) {
          if (older.name === name && older.revokedAt === undefined) await put({ ...older, revokedAt: timestamp(clock.now()) }, version);
        }
        return detailsOf(adopted);
      }),

    list: async () =>
      (await all()).map(({ key }) => detailsOf(key)).toSorted((left, right) => left.createdAt.localeCompare(right.createdAt)),

    revoke: (id) =>
      exclusively(async () => {
        const known = await all();
        const found = known.find(({ key }) => key.id === id);
        if (found === undefined) throw sluiceError('unknown_key', { id });
        if (found.key.revokedAt !== undefined) return detailsOf(found.key);
        // One that expires by itself is no safeguard: it would lock everybody out later.
        const remains = known.some(({ key }) => key.id !== id && administers(key) && isActive(key) && key.expiresAt === undefined);
        if (administers(found.key) && isActive(found.key) && !remains) throw sluiceError('last_admin_key', {});
        const revoked = { ...found.key, revokedAt: timestamp(clock.now()) };
        await put(revoked, found.version);
        return detailsOf(revoked);
      }),
  };
}

function actorOf({ id, name, role, environment }: StoredKey): Actor {
  return { key: id, name, role, ...(environment !== undefined && { environment }) };
}

function administers(key: StoredKey): boolean {
  return allows(key.role, 'administer');
}

const detailsSchema = storedKey.omit({ digest: true });

function detailsOf(key: StoredKey): KeyDetails {
  return detailsSchema.parse(key);
}
