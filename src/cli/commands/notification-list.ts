import type { MessageView, NotificationReport } from '../../api/schemas/notification.ts';
import { systemClock } from '../../effects/clock.ts';
import { environmentsOf } from '../changing/planning.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { inEnvironment, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { age, duration } from '../terminal/duration.ts';
import { printJson } from '../terminal/json.ts';
import { note } from '../terminal/note.ts';
import { renderTable, type Column } from '../terminal/table.ts';

const columns: readonly Column[] = [
  { title: 'environment' },
  { title: 'notification' },
  { title: 'url', flexible: true },
  { title: 'on', flexible: true },
  { title: 'delivered' },
  { title: 'waiting', align: 'right' },
  { title: 'dead', align: 'right', paint: (text, colors) => (text === '0' ? text : colors.red(text)) },
];

const messageColumns: readonly Column[] = [
  { title: 'message' },
  { title: 'status', paint: (text, colors) => (text === 'dead' ? colors.red(text) : text) },
  { title: 'to' },
  { title: 'tells', flexible: true },
  { title: 'tries', align: 'right' },
  { title: 'next' },
  { title: 'why', flexible: true, below: true },
];

export const command = defineCommand({
  description:
    'Lists who is told of rollouts, and the messages that have not reached their receiver: those that wait for their next attempt, those of hooks included, and those that were given up after a day, with the reason. A message that is delivered is listed no more.',
  arguments: [],
  options: { environment: inEnvironment, stack: stackOption },
  examples: [
    { command: 'sluice notification list', comment: 'who is told, and what has not arrived' },
    { command: 'sluice notification list --json', comment: 'with the ids in full' },
  ],
  run: async ({ terminal, global, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const environments = await environmentsOf(client, options.environment);
    const reports = await Promise.all(environments.map((environment) => client.listNotifications(environment)));
    const report: NotificationReport = {
      notifications: reports.flatMap(({ notifications }) => notifications),
      messages: reports.flatMap(({ messages }) => messages),
    };
    const now = systemClock.now();
    const look = { width: terminal.out.width(), colors: terminal.out.colors };
    if (global.json) printJson(terminal, report);
    else {
      if (report.notifications.length === 0) note(terminal, 'No notification has been applied.');
      else
        terminal.out.write(
          renderTable(
            columns,
            report.notifications.map((each) => row(each, now)),
            look,
          ),
        );
      if (report.messages.length > 0) {
        terminal.out.write(
          `\n${renderTable(
            messageColumns,
            report.messages.map((each) => messageRow(each, now)),
            look,
          )}`,
        );
      }
    }
    return exitCodes.ok;
  },
});

function row(view: NotificationReport['notifications'][number], now: number): readonly string[] {
  const { environment, name, url, format, on, deliveredAt, waiting, dead } = view;
  return [
    environment,
    name,
    format === 'json' ? url : `${url} (${format})`,
    on.join(', '),
    deliveredAt === undefined ? 'never' : `${age(deliveredAt, now)} ago`,
    String(waiting),
    String(dead),
  ];
}

function messageRow({ id, status, to, message, attempts, dueAt, reason }: MessageView, now: number): readonly string[] {
  // What is due and not being sent waits for the one before it.
  const wait = dueAt === undefined ? undefined : Date.parse(dueAt) - now;
  const next = wait === undefined ? '' : wait > 0 ? `in ${duration(wait)}` : 'in turn';
  return [id, status, to, message, String(attempts), next, reason ?? ''];
}
