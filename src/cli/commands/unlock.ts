import type { LockView } from '../../api/schemas/lock.ts';
import { systemClock } from '../../effects/clock.ts';
import { environmentsOf } from '../changing/planning.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { reason, stackOption, text, yes } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { confirm } from '../terminal/confirm.ts';
import { age } from '../terminal/duration.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';

export const command = defineCommand({
  description:
    'Takes an environment away from whoever is changing it: says who that is, asks, and from then on that run changes nothing more; what it had under way is continued by the next apply. Rarely needed: a process that died gives way by itself. To end a run of this control plane gently, press Ctrl-C where it was started.',
  arguments: [],
  options: {
    environment: text('name', 'Environment to unlock; default: the only one', { short: 'e' }),
    yes,
    reason,
    stack: stackOption,
  },
  examples: [{ command: 'sluice unlock -e production --reason "host lost"', comment: 'after looking at who it is' }],
  exitCodes: { 0: 'unlocked, or nobody was changing it', 1: 'someone else is changing it by now', 64: 'nobody can be asked: pass --yes' },
  run: async ({ terminal, global, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
    const environments = options.environment === undefined ? await environmentsOf(client, undefined) : [options.environment];
    const locks = await Promise.all(environments.map((environment) => client.getLock(environment)));
    const held = locks.filter(({ holder }) => holder !== undefined);
    if (held.length > 1) {
      const names = held.map(({ environment }) => environment).join(', ');
      throw sluiceError('usage', { reason: `Several environments are being changed (${names}): name one with -e.`, command: 'unlock' });
    }
    const [lock] = held;
    if (lock?.holder === undefined) {
      if (global.json) printJson(terminal, locks[0] ?? {});
      else note(terminal, `Nobody is changing ${environments.join(', ') || 'anything here'}.`);
      return exitCodes.ok;
    }
    note(terminal, described(lock.environment, lock.holder));
    await confirm(terminal, `Take ${lock.environment} away from ${lock.holder.run ?? `process ${lock.holder.pid}`}?`, options.yes);
    const unlocked = await client.unlock(lock.environment, lock.holder.since);
    if (global.json) printJson(terminal, unlocked);
    else terminal.out.write(`Unlocked ${lock.environment}; ${lock.holder.run ?? `process ${lock.holder.pid}`} changes nothing more.\n`);
    return exitCodes.ok;
  },
});

/** `production is being changed by run-4f0c (apply) of 'ann', on host web-1, process 77, since 3m: "release"`. */
function described(
  environment: string,
  { host, pid, since, work, run, by, reason: why, mayBeAlive }: NonNullable<LockView['holder']>,
): string {
  const who = `${run === undefined ? `a ${work}` : `${run} (${work})`}${by === undefined ? '' : ` of '${by}'`}`;
  const where = `on host ${host}, process ${pid}${mayBeAlive ? '' : ', which is dead'}, since ${age(since, systemClock.now())}`;
  return `${environment} is being changed by ${who}, ${where}${why === undefined ? '' : `: "${why}"`}.`;
}
