import { systemClock } from '../../effects/clock.ts';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { flag, inEnvironment, stackOption } from '../options.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import { showRepeatedly } from '../watching/repeat.ts';
import { readTraffic, renderGateway } from '../watching/traffic-page.ts';

export const command = defineCommand({
  description:
    'Where the gateway listens, and for every release of every service: requests and errors a second, latencies (p50, p95, p99 to the end of the answer), what is in flight and queued, retries, cache hits, refusals, ejected instances and bytes.',
  arguments: [],
  options: {
    environment: inEnvironment,
    watch: flag('Shows it again every second until Ctrl-C; with --json one document per line', 'w'),
    stack: stackOption,
  },
  examples: [
    { command: 'sluice gateway status', comment: 'how traffic is now' },
    { command: 'sluice gateway status -w -e production', comment: 'watch one environment' },
    { command: "sluice gateway status --json | jq '.releases[] | {service, p95}'", comment: 'for a program' },
  ],
  exitCodes: { 0: 'done', 130: '-w: ended by Ctrl-C' },
  run: async ({ terminal, global, options }) => {
    const { client } = await connect(homeTarget(options, global, terminal), terminal);
    const read = () => readTraffic(client, options.environment);
    const render = (view: Awaited<ReturnType<typeof read>>): string => renderGateway(view, terminal.out, systemClock.now());
    if (options.watch) return showRepeatedly(terminal, read, { json: global.json, render });
    const view = await read();
    if (global.json) printJson(terminal, view);
    else terminal.out.write(render(view));
    return exitCodes.ok;
  },
});
