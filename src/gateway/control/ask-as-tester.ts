import { type IncomingMessage, request } from 'node:http';
import { request as requestEncrypted } from 'node:https';
import { isIP } from 'node:net';
import type { Clock } from '../../effects/clock.ts';
import { sluiceError } from '../../errors/sluice-error.ts';
import type { TesterAnswer, TesterRoute } from '../../rollout/traffic.ts';

const retryMs = 100;
const longestRefusal = 4_096;
/** What the gateway says of itself or of this moment, and not of the release. */
const passing = new Set([
  'gateway_overloaded',
  'gateway_rate_limited',
  'gateway_no_instance',
  'gateway_route_unknown',
  'gateway_release_unknown',
]);

interface Check {
  readonly path: string;
  readonly timeoutMs: number;
}

/** One request through a listener of the public at `url`: see `Traffic.ask`. No redirect is followed, and of an answer only its status is kept. */
export async function askAsTester(url: string, route: TesterRoute, check: Check, clock: Clock): Promise<TesterAnswer> {
  const deadline = clock.monotonic() + check.timeoutMs;
  for (;;) {
    const left = Math.max(1, deadline - clock.monotonic());
    const answer = await attempt(new URL(url), route, { path: check.path, timeoutMs: left });
    const ended = answer === 'late' ? `did not answer within ${check.timeoutMs} ms` : `answered ${answer.status}`;
    if (answer !== 'late' && answer.status >= 200 && answer.status < 400) return { ready: true };
    const mayPass = answer !== 'late' && answer.code !== undefined && passing.has(answer.code);
    if (mayPass && clock.monotonic() + retryMs < deadline) {
      await clock.sleep(retryMs);
      continue;
    }
    const said = answer === 'late' || answer.code === undefined ? '' : ` (${answer.code})`;
    return { ready: false, reason: `${check.path} ${ended}${said}` };
  }
}

/** `code`: of a refusal of the gateway's own. */
type Answer = { readonly status: number; readonly code?: string | undefined } | 'late';

function attempt({ protocol, hostname, port }: URL, { host, headers }: TesterRoute, { path, timeoutMs }: Check): Promise<Answer> {
  const signal = AbortSignal.timeout(Math.ceil(timeoutMs));
  const options = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? undefined : Number(port),
    path,
    agent: false as const,
    signal,
    headers: { host, 'user-agent': 'sluice-probe', ...headers },
  };
  return new Promise((resolve, reject) => {
    const outgoing =
      protocol === 'https:'
        ? // The gateway's own listener on this machine: whether its certificate is trusted is for users to say, not for the release.
          requestEncrypted({ ...options, rejectUnauthorized: false, ...(isIP(host) === 0 && { servername: host }) })
        : request(options);
    outgoing.once('response', (answer) => {
      codeOf(answer)
        .then((code) => resolve({ status: answer.statusCode ?? 0, code }))
        .catch(() => resolve({ status: answer.statusCode ?? 0 }));
    });
    outgoing.on('error', (error) => {
      if (signal.aborted) resolve('late');
      else reject(sluiceError('gateway_unreachable', { reason: error.message }));
    });
    outgoing.end();
  });
}

/** The code of an error as the gateway writes it; undefined for whatever else it is. */
async function codeOf(answer: IncomingMessage): Promise<string | undefined> {
  if ((answer.statusCode ?? 0) < 400) {
    answer.once('error', () => undefined);
    answer.destroy();
    return undefined;
  }
  let text = '';
  for await (const chunk of answer) {
    text += String(chunk);
    if (text.length > longestRefusal) break;
  }
  const { error } = JSON.parse(text) as { error?: { code?: unknown } };
  return typeof error?.code === 'string' ? error.code : undefined;
}
