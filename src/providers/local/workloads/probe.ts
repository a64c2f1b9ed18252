import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { connect } from 'node:net';
import type { HealthCheck, ProbeResult } from '../../workloads.ts';

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  /** Working directory and environment of a command check. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** One readiness check. Never throws, and never takes much longer than its timeout. */
export async function probe(target: ProbeTarget, check: HealthCheck): Promise<ProbeResult> {
  return attempt(target, check).catch((error: unknown) => notReady(reasonOf(error as Error)));
}

async function attempt(target: ProbeTarget, check: HealthCheck): Promise<ProbeResult> {
  switch (check.type) {
    case 'http':
      return probeHttp(target, check.path, check.timeoutMs);
    case 'tcp':
      return probeTcp(target, check.timeoutMs);
    case 'command':
      break;
  }
  return probeCommand(target, check.command, check.timeoutMs);
}

/** Ready when the answer's status is 200 to 399; redirects are not followed. */
function probeHttp(target: ProbeTarget, path: string, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const outgoing = request({
      host: target.host,
      port: target.port,
      path,
      agent: false,
      signal,
      headers: { 'user-agent': 'sluice-probe' },
    });
    outgoing.once('response', (answer) => {
      const status = answer.statusCode ?? 0;
      answer.once('error', () => undefined);
      answer.destroy();
      resolve(status >= 200 && status < 400 ? { ready: true } : notReady(`${path} answered ${status}`));
    });
    outgoing.on('error', (error) => resolve(notReady(signal.aborted ? `${path} did not answer within ${timeoutMs} ms` : reasonOf(error))));
    outgoing.end();
  });
}

function probeTcp(target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host: target.host, port: target.port, timeout: timeoutMs });
    const finish = (result: ProbeResult): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => finish({ ready: true }));
    socket.once('timeout', () => finish(notReady(`port ${target.port} did not accept a connection within ${timeoutMs} ms`)));
    socket.on('error', (error) => finish(notReady(reasonOf(error))));
  });
}

function probeCommand(target: ProbeTarget, command: readonly string[], timeoutMs: number): Promise<ProbeResult> {
  const [program, ...parameters] = command;
  if (program === undefined) return Promise.resolve(notReady('the health command is empty'));
  return new Promise((resolve) => {
    execFile(
      program,
      parameters,
      { cwd: target.directory, env: { ...target.environment }, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 },
      (error) => {
        if (error === null) resolve({ ready: true });
        else if (error.killed === true) resolve(notReady(`'${program}' did not end within ${timeoutMs} ms`));
        else resolve(notReady(typeof error.code === 'number' ? `'${program}' ended with ${error.code}` : reasonOf(error)));
      },
    );
  });
}

function notReady(reason: string): ProbeResult {
  return { ready: false, reason };
}

function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' ? 'nothing listens on its port yet' : error.message || String(code);
}
