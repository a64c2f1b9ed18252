import { readFileSync } from 'node:fs';

/** Version of this package; the same from the sources and from the build. */
export function programVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
