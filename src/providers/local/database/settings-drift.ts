import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Drift } from '../../provider.ts';
import { type Endpoint, withAdministrator } from './roles.ts';

/** `name = value` of a settings file as Sluice writes it: one on a line, texts in single quotes. */
function settingsIn(text: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-z_]+) = (.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) settings.set(name, /^'(.*)'$/.exec(value)?.[1]?.replaceAll("''", "'") ?? value);
  }
  return settings;
}

/**
 * Of the settings that Sluice writes, those for which the server's files say something else by now, whoever changed them and however
 * (ALTER SYSTEM, an edited file): what a running server has, or will have after its next start. Settings Sluice does not write are the
 * user's own. Empty while the server cannot be asked.
 */
export async function settingsDrift(endpoint: Endpoint, text: string): Promise<readonly Drift[]> {
  const wanted = settingsIn(text);
  const found = await withAdministrator(endpoint, async (client) => {
    const { rows } = await client.query<{ name: string; setting: string | null }>(
      'SELECT name, setting FROM pg_file_settings WHERE name = ANY($1) ORDER BY seqno',
      [[...wanted.keys()]],
    );
    // The last one counts.
    return new Map(rows.map(({ name, setting }) => [name, setting]));
  }).catch(() => undefined);
  if (found === undefined) return [];
  return [...wanted].flatMap(([name, applied]): Drift[] => {
    const observed = found.get(name) ?? null;
    return observed === applied ? [] : [{ field: `settings.${name}`, applied, observed }];
  });
}

/**
 * Takes back what stands in the way of the settings: what ALTER SYSTEM set of them, and lines behind the one in postgresql.conf that
 * takes them in. They count from the next start of the server.
 */
export async function restoreSettings(endpoint: Endpoint, data: string, settingsFile: string, drift: readonly Drift[]): Promise<void> {
  const include = `include '${settingsFile}'`;
  const file = join(data, 'postgresql.conf');
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.trim() !== include);
  await writeFile(file, `${lines.join('\n').trimEnd()}\n\n${include}\n`);
  await withAdministrator(endpoint, async (client) => {
    for (const { field } of drift) await client.query(`ALTER SYSTEM RESET ${client.escapeIdentifier(field.replace('settings.', ''))}`);
  });
}
