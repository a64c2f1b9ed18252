import { SluiceError } from '../../errors/sluice-error.ts';
import { defineCommand, type GlobalOptions } from '../command.ts';
import type { Finding } from '../doctor/finding.ts';
import { exitCodes } from '../exit-codes.ts';
import { stackOption } from '../options.ts';
import { homeTarget, stackTarget, type Home } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import type { Channel, Terminal } from '../terminal/terminal.ts';
import { escapeControls, padEnd } from '../terminal/text.ts';

export const command = defineCommand({
  description:
    'Looks at this machine: what is there, what is missing, what it would be needed for and how to get it. Changes nothing and needs no control plane.',
  arguments: [],
  options: { stack: stackOption },
  examples: [
    { command: 'sluice doctor', comment: 'look at this machine' },
    { command: 'sluice doctor --json', comment: 'for a bug report' },
  ],
  exitCodes: { 0: 'Sluice can run here, perhaps not every kind', 1: 'Sluice itself cannot run properly' },
  run: async ({ terminal, global, options }) => {
    const { home, root } = homeOrHere(options, global, terminal);
    const [{ examine }, { thisMachine }] = await Promise.all([import('../doctor/checks.ts'), import('../doctor/machine.ts')]);
    const findings = await examine(thisMachine(home, root));
    const fit = findings.every(({ state }) => state !== 'missing');
    if (global.json) printJson(terminal, { fit, findings });
    else terminal.out.write(render(findings, terminal.out));
    return fit ? exitCodes.ok : exitCodes.error;
  },
});

/** The home that is used here, or the one that would be. */
function homeOrHere(options: { stack: string | undefined }, global: GlobalOptions, terminal: Terminal): Home {
  try {
    return homeTarget(options, global, terminal);
  } catch (thrown) {
    if (thrown instanceof SluiceError && thrown.code === 'home_not_found') return stackTarget(undefined, global, terminal);
    throw thrown;
  }
}

function render(findings: readonly Finding[], { colors }: Channel): string {
  const marks = { ok: colors.green('✔'), limited: colors.yellow('!'), missing: colors.red('✖') };
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.flatMap(({ name, state, found, neededFor, remedy }) => [
    `${marks[state]} ${padEnd(name, width)}  ${escapeControls(found)}`,
    ...(state === 'ok' ? [] : [`  ${' '.repeat(width)}  ${colors.dim(`needed for: ${neededFor}`)}`]),
    ...remedy.map((way) => `  ${' '.repeat(width)}  ${colors.cyan('help:')} ${way}`),
  ]);
  return `${lines.join('\n')}\n`;
}
