import type { KeyView } from '../../api/schemas/key.ts';
import { systemClock } from '../../effects/clock.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { age } from '../terminal/duration.ts';
import { printJson } from '../terminal/json.ts';
import { renderTable, type Column } from '../terminal/table.ts';
import { paintState } from '../watching/paint-state.ts';

const columns: readonly Column[] = [
  { title: 'id' },
  { title: 'name', flexible: true },
  { title: 'role' },
  { title: 'environment', flexible: true },
  { title: 'state', paint: paintState },
  { title: 'created' },
  { title: 'last used' },
  { title: 'expires' },
];

export const command = defineCommand({
  description: 'All keys of the HTTP API, those that have ended included. The keys themselves are not kept and cannot be shown.',
  arguments: [],
  options: { stack: stackOption },
  examples: [{ command: 'sluice key list', comment: 'who has access' }],
  run: async ({ terminal, global, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const keys = await client.listKeys();
    const now = systemClock.now();
    if (global.json) printJson(terminal, keys);
    else
      terminal.out.write(
        renderTable(
          columns,
          keys.map((key) => row(key, now)),
          { width: terminal.out.width(), colors: terminal.out.colors },
        ),
      );
    return exitCodes.ok;
  },
});

function row(key: KeyView, now: number): readonly string[] {
  const ago = (time: string | undefined): string => (time === undefined ? 'never' : `${age(time, now)} ago`);
  return [
    key.id,
    key.name,
    key.role,
    key.environment ?? '',
    stateOf(key, now),
    ago(key.createdAt),
    ago(key.lastUsedAt),
    key.expiresAt?.slice(0, 10) ?? 'never',
  ];
}

function stateOf(key: KeyView, now: number): 'active' | 'revoked' | 'expired' {
  if (key.revokedAt !== undefined) return 'revoked';
  return key.expiresAt !== undefined && Date.parse(key.expiresAt) <= now ? 'expired' : 'active';
}
