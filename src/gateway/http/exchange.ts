import type { ClientRequest, IncomingMessage, RequestOptions, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Instance } from '../balancing/instance.ts';
import type { Ending, Finished, Meter } from '../measuring/meter.ts';
import type { RoutedService } from '../routing/routes.ts';
import { answerWith, refusal, type Refusal } from './answer.ts';
import type { Engine, Exchange } from './engine.ts';
import { endWithTrailers, flushSoon } from './pump.ts';
import type { BodyFraming } from './request-check.ts';
import { endIsMarked, incomingHead } from './response-headers.ts';
import { aboutOf } from './request-about.ts';
import { openUpstream, type UpstreamEvents } from './upstream.ts';

export interface Inbound {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly service: RoutedService;
  /** Path and query for the instance. */
  readonly target: string;
  readonly headers: string[];
  readonly requestId: string;
  readonly body: BodyFraming;
  readonly expectsContinue: boolean;
  /** Takes over both connections after the instance agreed to switch protocols; calls `ended` when both are closed. */
  readonly onUpgrade?: (response: IncomingMessage, upstream: Duplex, head: Buffer, ended: () => void) => void;
  /** The client's connection: holds the exchange until it counts no more. */
  readonly connection: { add(exchange: Exchange): unknown; remove(exchange: Exchange): void };
}

/**
 * `connecting`: no instance has a byte of it yet. `sending`: the body is on its way. `waiting`: the instance has all of it. `answering`: the
 * header of the answer is out. `switched`: raw bytes both ways. `ended`: counted no more.
 */
type Phase = 'connecting' | 'sending' | 'waiting' | 'answering' | 'switched' | 'ended';

type PlainError =
  | 'gateway_no_instance'
  | 'gateway_upstream_unreachable'
  | 'gateway_upstream_failed'
  | 'gateway_upstream_invalid'
  | 'gateway_connect_timeout'
  | 'gateway_upstream_timeout'
  | 'gateway_request_timeout'
  | 'gateway_failure';

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * Carries one request to an instance and its answer back, streaming both ways with back-pressure. Tried again on another instance only
 * while no instance can have acted on it: the connection could not be made, or a reused one was closed before it carried an answer and
 * the request is safe to repeat. An answer that breaks off ends the client's connection, so that it never looks complete.
 */
export function startExchange(engine: Engine, inbound: Inbound): Exchange {
  const { req, res, service } = inbound;
  const { dispatch, limits } = engine;
  const client = req.socket;
  const tried: Instance[] = [];
  let phase: Phase = 'connecting';
  const begun = engine.now();
  let since = begun;
  let meter: Meter | undefined;
  let ending: Ending = 'abandoned';
  let status = 0;
  let firstByteMs = 0;
  let active = since;
  const writtenBefore = client.bytesWritten;
  let moved = 0;
  let attempts = 0;
  let instance: Instance | undefined;
  let last: Instance | undefined;
  let upstream: ClientRequest | undefined;
  let response: IncomingMessage | undefined;
  let bytesBefore = 0;
  let bodyHasBegun = false;
  let bodyIsWired = false;
  let hasContinued = !inbound.expectsContinue;

  const enter = (next: Phase): void => {
    phase = next;
    since = engine.now();
  };

  const letGo = (): void => {
    const held = instance;
    instance = undefined;
    if (held) dispatch.release(held);
  };

  const dropUpstream = (): void => {
    const dropped = upstream;
    upstream = undefined;
    dropped?.destroy();
  };

  const end = (): void => {
    if (phase === 'ended') return;
    phase = 'ended';
    const now = engine.now();
    const finished: Finished = {
      status,
      ending,
      firstByteMs,
      totalMs: now - begun,
      bytesIn: Number(req.headers['content-length'] ?? 0),
      bytesOut: client.bytesWritten - writtenBefore,
      retries: Math.max(0, attempts - 1),
      queuedMs: 0,
      probability: 1,
      by: 'request',
      unit: 0,
      attributes: '',
    };
    meter?.end(finished, now);
    engine.observer?.observe(finished, aboutOf(inbound, last));
    dropUpstream();
    letGo();
    engine.running.delete(exchange);
    inbound.connection.remove(exchange);
  };

  const fail = (code: PlainError): void => refuse(refusal(code, {}, inbound.requestId), false);

  const refuse = (refused: Refusal, mustClose: boolean): void => {
    if (phase === 'ended') return;
    dropUpstream();
    letGo();
    ending = 'failed';
    status = refused.status;
    if (res.headersSent) {
      client.destroy();
      return;
    }
    enter('answering');
    // A client that was never told to go on may or may not send its body: only closing is unambiguous.
    const close = mustClose || !hasContinued || engine.isStopping();
    answerWith(res, refused, { close, requestId: inbound.requestId });
    if (!req.complete) req.resume();
  };

  /** The answer has begun and cannot be finished. */
  const cut = (reason: string): void => {
    if (phase === 'ended') return;
    engine.log.warn({ requestId: inbound.requestId, service: service.name, instance: instance?.id, reason }, 'answer broke off');
    ending = 'aborted';
    const isMarked = response !== undefined && endIsMarked(response, req.httpVersionMinor > 0);
    dropUpstream();
    letGo();
    if (isMarked) client.destroy();
    else client.resetAndDestroy();
  };

  const attempt = (onFreshConnection: boolean, lastError: PlainError): void => {
    const chosen = attempts < limits.attempts ? dispatch.choose(service, tried) : undefined;
    if (chosen === undefined) {
      fail(lastError);
      return;
    }
    attempts += 1;
    instance = chosen;
    last = chosen;
    dispatch.acquire(chosen);
    if (meter === undefined) {
      meter = service.backends.find(({ release }) => release === chosen.release)?.meter;
      meter?.begin();
    }
    enter('connecting');
    try {
      upstream = openUpstream(upstreamOptions(chosen, onFreshConnection), (candidate) => candidate === upstream, events);
    } catch (error) {
      engine.log.error({ requestId: inbound.requestId, service: service.name, reason: String(error) }, 'request could not be written');
      fail('gateway_failure');
      return;
    }
    if (inbound.body === 'none') upstream.end();
  };

  const upstreamOptions = (chosen: Instance, onFreshConnection: boolean): RequestOptions => ({
    agent: onFreshConnection ? false : engine.agentOf(chosen),
    host: chosen.host,
    port: chosen.port,
    method: req.method ?? 'GET',
    path: inbound.target,
    headers: inbound.headers,
    setHost: false,
    maxHeaderSize: limits.headerBytes,
  });

  const reached = (): void => {
    bytesBefore = upstream?.socket?.bytesRead ?? 0;
    if (inbound.body === 'none') {
      enter('waiting');
      return;
    }
    enter('sending');
    if (upstream && !inbound.expectsContinue) flushSoon(upstream, () => bodyHasBegun);
    if (bodyIsWired) req.resume();
    else wireBody();
  };

  const wireBody = (): void => {
    bodyIsWired = true;
    req.on('data', (chunk: Buffer) => {
      bodyHasBegun = true;
      if (upstream !== undefined && !upstream.write(chunk)) req.pause();
    });
    req.on('end', () => {
      bodyHasBegun = true;
      if (upstream !== undefined) endWithTrailers(req, upstream);
      if (phase === 'sending') enter('waiting');
    });
  };

  const continued = (): void => {
    if (hasContinued) return;
    hasContinued = true;
    if (!res.headersSent) res.writeContinue();
  };

  const broken = (error: NodeJS.ErrnoException): void => {
    if (phase === 'connecting') {
      unreachable('gateway_upstream_unreachable');
      return;
    }
    if (phase === 'answering' || phase === 'switched') {
      // What was still being sent has failed; if the answer is whole, nobody misses it.
      if (response !== undefined && !response.complete) cut(error.code ?? 'error');
      return;
    }
    const hasAnswerByte = (upstream?.socket?.bytesRead ?? 0) > bytesBefore;
    const isRepeatable = !bodyHasBegun && (inbound.body !== 'none' || idempotent.has(req.method ?? ''));
    if (upstream?.reusedSocket === true && !hasAnswerByte && isRepeatable) {
      req.pause();
      dropUpstream();
      letGo();
      attempt(true, 'gateway_upstream_failed');
      return;
    }
    if (instance) dispatch.report(instance, 'reset');
    const isInvalid = error.code?.startsWith('HPE_') === true;
    engine.log.warn({ requestId: inbound.requestId, service: service.name, instance: instance?.id, reason: error.code }, 'request failed');
    fail(isInvalid ? 'gateway_upstream_invalid' : 'gateway_upstream_failed');
  };

  const unreachable = (code: PlainError): void => {
    if (instance) {
      dispatch.report(instance, 'unreachable');
      tried.push(instance);
    }
    dropUpstream();
    letGo();
    attempt(false, code);
  };

  const answered = (answer: IncomingMessage): void => {
    response = answer;
    status = answer.statusCode ?? 0;
    firstByteMs = engine.now() - begun;
    if (instance) dispatch.report(instance, 'answered');
    const close = engine.isStopping() || !hasContinued || inbound.onUpgrade !== undefined;
    const head = { method: req.method ?? 'GET', requestId: inbound.requestId, close, chunked: req.httpVersionMinor > 0 };
    let hasWritten = false;
    try {
      res.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', incomingHead(answer, head));
    } catch (error) {
      engine.log.warn({ requestId: inbound.requestId, service: service.name, reason: String(error) }, 'answer is not valid HTTP');
      fail('gateway_upstream_invalid');
      return;
    }
    enter('answering');
    answer.on('data', (chunk: Buffer) => {
      hasWritten = true;
      if (!res.write(chunk)) answer.pause();
    });
    res.on('drain', () => answer.resume());
    answer.on('end', () => {
      if (!answer.complete) return;
      hasWritten = true;
      endWithTrailers(answer, res);
      // The instance wants no more of a body that is still coming.
      if (!req.complete) dropUpstream();
      if (req.isPaused()) req.resume();
    });
    answer.on('error', () => cut('error'));
    answer.on('close', () => {
      if (!answer.complete) cut('closed');
    });
    flushSoon(res, () => hasWritten);
  };

  const switched = (answer: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (inbound.onUpgrade === undefined) {
      socket.destroy();
      fail('gateway_upstream_invalid');
      return;
    }
    if (instance) dispatch.report(instance, 'answered');
    enter('switched');
    ending = 'switched';
    upstream = undefined;
    inbound.onUpgrade(answer, socket, head, end);
  };

  const expired = (now: number): void => {
    const silence = now - Math.max(since, active);
    switch (phase) {
      case 'connecting':
        if (now - since > limits.connectMs) unreachable('gateway_connect_timeout');
        return;
      case 'sending':
        if (!hasContinued || req.isPaused()) timeOutUpstream(silence);
        else if (silence > limits.bodyIdleMs) fail('gateway_request_timeout');
        return;
      case 'waiting':
        timeOutUpstream(now - since);
        return;
      case 'answering':
        if (silence <= limits.streamIdleMs) return;
        if (response === undefined || response.complete) client.destroy();
        else cut('idle for too long');
        return;
      case 'switched':
        if (silence > limits.upgradeIdleMs) client.destroy();
        return;
      case 'ended':
        return;
    }
  };

  const timeOutUpstream = (waitedMs: number): void => {
    if (waitedMs <= limits.responseHeadMs) return;
    if (instance) dispatch.report(instance, 'reset');
    fail('gateway_upstream_timeout');
  };

  const events: UpstreamEvents = {
    reached,
    continued,
    hinted: (link) => passEarlyHints(res, link),
    answered,
    switched,
    drained: () => req.resume(),
    broken,
  };

  const exchange: Exchange = {
    abandoned: end,
    spoil: () => {
      if (!req.complete) refuse(refusal('gateway_request_invalid', { reason: 'its body cannot be parsed' }, inbound.requestId), true);
    },
    terminate: () => client.destroy(),
    expire: (now) => {
      const total = client.bytesRead + client.bytesWritten + (upstream?.socket?.bytesRead ?? 0) + (upstream?.socket?.bytesWritten ?? 0);
      if (total !== moved) {
        moved = total;
        active = now;
      }
      expired(now);
    },
  };
  engine.running.add(exchange);
  inbound.connection.add(exchange);
  res.on('finish', () => {
    if (ending === 'abandoned') ending = 'answered';
    if (phase !== 'switched') end();
  });
  res.on('error', () => {});
  attempt(false, 'gateway_no_instance');
  return exchange;
}

function passEarlyHints(res: ServerResponse, link: string | string[]): void {
  if (res.headersSent || res.req.httpVersionMinor === 0) return;
  try {
    res.writeEarlyHints({ link });
  } catch {
    // A Link that is not well formed is only a hint lost.
  }
}
