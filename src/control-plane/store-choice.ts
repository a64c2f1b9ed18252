import { existsSync } from 'node:fs';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { writeDurably } from '../effects/files.ts';
import { sluiceError } from '../errors/sluice-error.ts';
import { parsePostgresUrl } from '../store/postgres-url.ts';
import type { HomePaths } from './home.ts';

/** Where the state of a home is. A URL may hold a password: only `shown` is for people. */
export type StoreChoice =
  | { readonly kind: 'sqlite'; readonly shown: string }
  | { readonly kind: 'postgres'; readonly shown: string; readonly url: string };

/** `sqlite`, or a URL. Throws `store_url_invalid`. */
export function parseStore(paths: HomePaths, wanted: string): StoreChoice {
  if (wanted === 'sqlite') return { kind: 'sqlite', shown: paths.state };
  return { kind: 'postgres', shown: parsePostgresUrl(wanted).shown, url: wanted };
}

/** What the home remembers; undefined for one that has never had a state. Throws `store_url_exposed`, `store_url_invalid`. */
export async function rememberedStore(paths: HomePaths): Promise<StoreChoice | undefined> {
  const url = await readUrl(paths.storeUrl);
  if (url !== undefined) return parseStore(paths, url);
  return existsSync(paths.state) ? parseStore(paths, 'sqlite') : undefined;
}

/**
 * The store to open: what the home remembers, and for a new home what is wanted, or SQLite. A home that keeps its state elsewhere than
 * wanted is refused: opening another, empty one would forget all that runs. Only a password or TLS settings may differ.
 * Throws `store_differs` and what `rememberedStore` throws.
 */
export async function chooseStore(paths: HomePaths, wanted: string | undefined): Promise<StoreChoice> {
  const kept = await rememberedStore(paths);
  const choice = wanted === undefined ? undefined : parseStore(paths, wanted);
  if (kept !== undefined && choice !== undefined && kept.shown !== choice.shown) {
    throw sluiceError('store_differs', { home: paths.home, kept: kept.shown, wanted: choice.shown });
  }
  return choice ?? kept ?? parseStore(paths, 'sqlite');
}

/** For the next start, which may come without being told. The file is readable by its owner only. */
export async function rememberStore(paths: HomePaths, url: string): Promise<void> {
  if ((await readUrl(paths.storeUrl)) !== url) await writeDurably(paths.storeUrl, `${url}\n`, 0o600);
}

async function readUrl(file: string): Promise<string | undefined> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return undefined;
    throw sluiceError('store_url_invalid', { reason: `${file} cannot be read (${thrown.code})` });
  });
  if (handle === undefined) return undefined;
  try {
    const { mode } = await handle.stat();
    if ((mode & 0o077) !== 0) throw sluiceError('store_url_exposed', { file, mode: (mode & 0o777).toString(8) });
    return (await handle.readFile('utf8')).trim();
  } finally {
    await handle.close();
  }
}
