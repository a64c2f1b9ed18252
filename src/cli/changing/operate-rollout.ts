import type { Client } from '../../api/client.ts';
import type { ServiceView } from '../../api/schemas/service.ts';
import type { GlobalOptions } from '../command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { connect } from '../target/connect.ts';
import { homeTarget } from '../target/target.ts';
import { printJson } from '../terminal/json.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { environmentHolding } from '../watching/selection.ts';

/** One button of a rollout: finds the service, does it, and says in one line what happens now. */
export async function operateRollout(
  service: string,
  { terminal, global, options }: { terminal: Terminal; global: GlobalOptions; options: OperateOptions },
  act: (client: Client, environment: string) => Promise<ServiceView>,
  told: (view: ServiceView) => string,
): Promise<ExitCode> {
  const { client } = await connect(homeTarget(options, global, terminal), terminal, { reason: options.reason });
  const environment = await environmentHolding(client, options.environment, 'service', service);
  const view = await act(client, environment);
  if (global.json) printJson(terminal, view);
  else terminal.out.write(`${view.address} ${told(view)}; \`sluice rollout status ${service} -w\` shows it.\n`);
  return exitCodes.ok;
}

interface OperateOptions {
  readonly environment: string | undefined;
  readonly reason: string | undefined;
  readonly stack: string | undefined;
}
