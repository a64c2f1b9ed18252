import type { FlagEvaluation } from '../../api/schemas/flag.ts';
import type { Json } from '../../digest/json.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { defineCommand, type OptionSpec } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { holdingEnvironment, stackOption, text } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';
import { environmentOfFlag } from '../watching/selection.ts';

const attributes: OptionSpec<Readonly<Record<string, Json>>> = {
  value: 'name=value',
  description: 'An attribute of the user; a number, true or false is taken as such, "5" in quotes as text. Can be repeated',
  fallback: {},
  parse: (given, previous) => {
    const at = given.indexOf('=');
    if (at < 1) throw sluiceError('usage', { reason: `'${given}' is not of the form name=value.`, command: 'flag eval' });
    return { ...previous, [given.slice(0, at)]: valueOf(given.slice(at + 1)) };
  },
};

export const command = defineCommand({
  description: 'Says what a user would be served, and why. It asks the flags that are served now and counts nowhere.',
  arguments: [{ name: 'flag', description: 'Name of a flag', required: true }],
  options: {
    environment: holdingEnvironment,
    user: text('id', 'The targeting key: who the user is'),
    attribute: attributes,
    stack: stackOption,
  },
  examples: [
    { command: 'sluice flag eval answer-with-citations --user ann', comment: 'for one user' },
    { command: 'sluice flag eval answer-with-citations --user ann --attribute plan=pro', comment: 'with an attribute' },
  ],
  exitCodes: { 0: 'evaluated', 1: 'it cannot be evaluated for this user, or there is no such flag' },
  run: async ({ terminal, global, arguments: { flag: name }, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const place = await environmentOfFlag(client, options.environment, name);
    const context = { ...options.attribute, ...(options.user !== undefined && { targetingKey: options.user }) };
    const evaluation = await client.evaluateFlag(place, name, { context });
    const failed = evaluation.errorCode !== undefined;
    if (global.json) printJson(terminal, evaluation);
    else if (failed) {
      terminal.err.write(`${evaluation.errorCode}: ${evaluation.errorDetails ?? ''}\n`);
      note(terminal, 'Say who the user is with --user ID, and what the rules ask for with --attribute NAME=VALUE.');
    } else terminal.out.write(`${JSON.stringify(evaluation.value)} (${evaluation.variant}): ${because(evaluation)}.\n`);
    return failed ? exitCodes.error : exitCodes.ok;
  },
});

function because({ matched, reason }: FlagEvaluation): string {
  const split = reason === 'split';
  if (matched === 'killed') return 'the flag is killed';
  if (matched === 'override') return split ? 'the user is in the share it was set to by hand' : 'it was set by hand';
  if (matched === 'default') return reason === 'static' ? 'there are no rules' : 'no rule holds';
  return `rule ${matched ?? ''} holds${split ? ' and splits users' : ''}`;
}

function valueOf(given: string): Json {
  try {
    const value = JSON.parse(given) as Json;
    return typeof value === 'object' ? given : value;
  } catch {
    return given;
  }
}
