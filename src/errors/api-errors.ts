import { entry } from './entry.ts';

export const apiErrors = {
  internal_error: entry<{ reason: string }>({
    status: 500,
    retry: 'retry',
    message: ({ reason }) => `Something went wrong inside Sluice: ${reason}`,
    help: () => 'This is a defect. Please report it with the output of `sluice doctor`.',
  }),
  invalid_request: entry<{ where: string; reason: string }>({
    status: 400,
    retry: 'terminal',
    message: ({ where, reason }) => `The ${where} of this request is not valid: ${reason}`,
    help: () => 'GET /openapi.json describes every operation.',
  }),
  body_too_large: entry<{ limit: number }>({
    status: 413,
    retry: 'terminal',
    message: ({ limit }) => `The body of a request may have at most ${limit} bytes.`,
    help: () => 'Stacks are read from the folder of the control plane, not from the request.',
  }),
  unsupported_media_type: entry<Record<string, never>>({
    status: 415,
    retry: 'terminal',
    message: () => 'The body of a request must be JSON.',
    help: () => 'Send the header `Content-Type: application/json`.',
  }),
  host_refused: entry<Record<string, never>>({
    status: 421,
    retry: 'terminal',
    message: () => 'This control plane does not answer under the host name of the request.',
    help: () => 'Use the URL that control-plane.json gives; start it with --host to serve another address.',
  }),
  unknown_route: entry<{ method: string; path: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ method, path }) => `There is no operation ${method} ${path}.`,
    help: () => 'GET /openapi.json lists all operations.',
  }),
  request_timed_out: entry<{ seconds: number }>({
    status: 503,
    retry: 'retry',
    message: ({ seconds }) => `This took longer than ${seconds} seconds and was given up.`,
    help: () => 'Try again; the log of the control plane (logs/control-plane.log) tells what it was busy with.',
  }),
  control_plane_starting: entry<Record<string, never>>({
    status: 503,
    retry: 'wait',
    message: () => 'The control plane is still taking up what ran before.',
    help: () => '`sluice status` says when it is ready, `sluice events` what it is doing; then try again.',
  }),
  shutting_down: entry<Record<string, never>>({
    status: 503,
    retry: 'retry',
    message: () => 'The control plane is shutting down.',
    help: () => 'Try again in a moment; the next command starts it anew.',
  }),
  unknown_plan: entry<{ id: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ id }) => `There is no plan '${id}'.`,
    help: () => 'Plans are kept for a day; make a new one with `sluice plan`.',
  }),
  plan_stale: entry<{ id: string; reason: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ id, reason }) => `The plan '${id}' no longer tells the truth: ${reason}.`,
    help: () => 'Plan again and look at the changes; nothing has been changed.',
  }),
  plan_applied: entry<{ id: string; run: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ id, run }) => `The plan '${id}' has been applied already, by the run '${run}'.`,
    help: () => 'Plan again; a plan is applied once.',
  }),
  stack_outside_root: entry<{ path: string }>({
    status: 422,
    retry: 'terminal',
    message: ({ path }) => `The stack '${path}' is not inside the folder this control plane serves.`,
    help: () =>
      'Give a path below that folder (`GET /v1/status` names it), or start a control plane for the other folder with its own SLUICE_HOME.',
  }),
  root_missing: entry<{ root: string }>({
    status: 409,
    retry: 'terminal',
    message: ({ root }) => `The folder this control plane serves is no longer there: ${root}`,
    help: () => 'Put it back, or end this control plane with `sluice down` and start one for the folder you want.',
  }),
  unknown_run: entry<{ id: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ id }) => `There is no run '${id}'.`,
    help: () => '',
  }),
  repeatable_request_required: entry<{ field: string | undefined }>({
    status: 428,
    retry: 'terminal',
    message: ({ field }) =>
      `Sent twice, this request would be carried out twice: it needs ${field === undefined ? '' : `\`${field}\` in its body or `}a header Idempotency-Key.`,
    help: () => 'Make a new key, for example a UUID, for each wish, and send the same one when you repeat the request.',
  }),
  run_in_progress: entry<{ environment: string; run: string }>({
    status: 409,
    retry: 'wait',
    message: ({ environment, run }) => `The run '${run}' is changing '${environment}' at this moment.`,
    help: ({ run }) =>
      `Wait for it, or cancel it: Ctrl-C where it was started, or POST /v1/runs/${run}/cancel. \`sluice unlock\` takes the environment from one that hangs.`,
  }),
  run_interrupted: entry<Record<string, never>>({
    status: 500,
    retry: 'retry',
    message: () => 'The control plane ended while this run was going on.',
    help: () => 'Apply again: what was done is kept, and only what is missing will be done.',
  }),
  unknown_resource: entry<{ address: string }>({
    status: 404,
    retry: 'terminal',
    message: ({ address }) => `There is no resource '${address}'.`,
    help: () => '`sluice get` lists the resources of an environment.',
  }),
  home_in_use: entry<{ home: string; pid: number }>({
    status: 409,
    retry: 'terminal',
    message: ({ home, pid }) => `A control plane (process ${pid}) already serves ${home}.`,
    help: () => 'Use that one, or end it with `sluice down`; one home has one control plane.',
  }),
  home_exposed: entry<{ home: string; reason: string }>({
    status: 500,
    retry: 'terminal',
    message: ({ home, reason }) => `The Sluice home ${home} is not safe to use: ${reason}.`,
    help: ({ home }) => `Make it yours alone: chmod 700 ${home}`,
  }),
  address_unavailable: entry<{ host: string; port: number; reason: string }>({
    status: 500,
    retry: 'terminal',
    message: ({ host, port, reason }) => `The control plane cannot listen on ${host}:${port}: ${reason}`,
    help: () => 'Choose another with --host and --port; port 0 takes any free one.',
  }),
  control_plane_did_not_start: entry<{ reason: string; log: string }>({
    status: 500,
    retry: 'retry',
    message: ({ reason, log }) => `The control plane did not start: ${reason}${log === '' ? '' : `\n${log}`}`,
    help: () => '`sluice doctor` says what this machine lacks.',
  }),
};
