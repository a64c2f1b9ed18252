import type { Backend } from '../../balancing/choose.ts';
import type { Instance } from '../../balancing/instance.ts';
import type { CacheWriter, CachedAnswer } from '../../cache/response-cache.ts';
import type { Waiting } from '../../limits/limiter.ts';
import type { Ending } from '../../measuring/meter.ts';
import type { RoutedService } from '../../routing/routes.ts';
import type { Assignment } from '../../routing/split.ts';
import { refusal, type Refusal } from '../answer.ts';
import type { Downstream, DownstreamEvents, RawHeaders } from '../downstream.ts';
import type { Engine, Running } from '../engine.ts';
import { outgoingHead } from '../request-headers.ts';
import { clientHead, lengthOf } from '../response-headers.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { BrokenBecause, UpstreamEvents } from '../upstream/events.ts';
import { forwardableTrailers } from '../wire/field-kinds.ts';
import type { ResponseHead } from '../wire/response-head.ts';
import type { Socket } from 'node:net';
import { admit, type Side } from './admit.ts';
import { copyToMirror, type MirrorCopy } from './mirror.ts';
import { type Account, settle } from './settlement.ts';

/**
 * `queued`: at the door of the service. `connecting`: no instance has a byte of it. `sending`: the body is on its way. `waiting`: the
 * instance has all of it. `answering`: an answer has begun. `switched`: raw bytes both ways. `ended`: counted no more.
 */
type Phase = 'queued' | 'connecting' | 'sending' | 'waiting' | 'answering' | 'switched' | 'ended';

type PlainError =
  | 'gateway_no_instance'
  | 'gateway_upstream_unreachable'
  | 'gateway_upstream_failed'
  | 'gateway_upstream_invalid'
  | 'gateway_connect_timeout'
  | 'gateway_upstream_timeout'
  | 'gateway_request_timeout'
  | 'gateway_overloaded'
  | 'gateway_failure';

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
const noHeaders: RawHeaders = [];

/** What a client's side does: it calls `begin` once, then tells what happens on its side. */
export interface Exchange extends DownstreamEvents {
  begin(): void;
}

export function createExchange(engine: Engine, side: Side, downstream: Downstream): Exchange {
  return new RequestExchange(engine, side, downstream);
}

/**
 * Carries one request to an instance and its answer back, streaming both ways with back-pressure. Tried again on another instance only
 * while no instance can have acted on it: the connection could not be made, or a reused one was closed before it carried an answer and
 * the request is safe to repeat. An answer that breaks off is cut for the client too, so that it never looks complete.
 */
class RequestExchange implements Exchange, UpstreamEvents, Running, Waiting, Account {
  readonly startedAt: number;
  firstByteAt = 0;
  status = 0;
  attempts = 0;
  queuedMs = 0;
  attributes = '';
  service!: RoutedService;
  assigned: Assignment | undefined;
  readonly #engine: Engine;
  readonly #side: Side;
  readonly #downstream: Downstream;
  #phase: Phase = 'queued';
  #since: number;
  #active: number;
  #moved = 0;
  #target = '';
  #fields = '';
  #requestId = '';
  #tried: Instance[] = [];
  #instance: Instance | undefined;
  #backend: Backend | undefined;
  #connection: UpstreamConnection | undefined;
  #answer: ResponseHead | undefined;
  #cacheWriter: CacheWriter | undefined;
  #mirror: MirrorCopy | undefined;
  #ending: Ending = 'abandoned';
  #isAnswerWhole = false;
  #isBodyWhole: boolean;
  #hasBodyBegun = false;
  #isBodyHeld = false;
  #hasContinued: boolean;
  #place: 'none' | 'waiting' | 'inside' = 'none';

  constructor(engine: Engine, side: Side, downstream: Downstream) {
    this.#engine = engine;
    this.#side = side;
    this.#downstream = downstream;
    this.startedAt = engine.now();
    this.#since = this.startedAt;
    this.#active = this.startedAt;
    this.#isBodyWhole = downstream.head.body === 'none';
    this.#hasContinued = !downstream.head.expectsContinue;
  }

  get priority(): Waiting['priority'] {
    return this.service.priority ?? 'normal';
  }

  get bytesIn(): number {
    return this.#downstream.bytesRead();
  }

  get bytesOut(): number {
    return this.#downstream.bytesWritten();
  }

  begin(): void {
    try {
      this.#route();
    } catch (error) {
      this.#engine.log.error({ reason: String(error), stack: error instanceof Error ? error.stack : undefined }, 'request handler failed');
      this.#dropUpstream();
      this.#letGo();
      this.#refuse(refusal('gateway_failure', {}), true);
    }
  }

  #route(): void {
    const { head } = this.#downstream;
    const admission = admit(head, this.#side, this.#engine.dispatch.routes());
    if (admission.outcome === 'refused') {
      this.#turnAway(admission.refusal);
      return;
    }
    const { service, caller } = admission;
    this.service = service;
    this.#target = admission.target;
    const outgoing = outgoingHead(head, caller, this.#engine.identifier);
    if (outgoing === undefined) {
      this.#turnAway(refusal('gateway_request_invalid', { reason: 'a header cannot be passed on' }));
      return;
    }
    this.#fields = outgoing.fields;
    this.#requestId = outgoing.requestId;
    if (service.rateLimiters !== undefined && !this.#isWithinRates(service, caller)) return;
    this.#engine.running.add(this);
    if (service.cache !== undefined && this.#isBodyWhole && head.upgrade === undefined) {
      const cached = service.cache.lookup(head, this.startedAt);
      if (cached !== undefined) {
        this.#answerFromCache(cached);
        return;
      }
    }
    if (!this.#isBodyWhole) this.#downstream.pause();
    if (service.limiter !== undefined) {
      const place = service.limiter.enter(this);
      if (place === 'shed') this.#fail('gateway_overloaded');
      this.#place = place === 'granted' ? 'inside' : place === 'waiting' ? 'waiting' : 'none';
      if (place !== 'granted') return;
    }
    this.#proceed();
  }

  /** Refused before any service has it: not counted as under way. */
  #turnAway(refused: Refusal): void {
    const { head } = this.#downstream;
    this.#phase = 'answering';
    this.#ending = 'refused';
    this.#downstream.refuse(refused, head.expectsContinue);
  }

  #isWithinRates(service: RoutedService, caller: string | undefined): boolean {
    for (const { limiter, keyOf } of service.rateLimiters ?? []) {
      const waitMs = limiter.take(keyOf(this.#downstream.head, caller), this.startedAt);
      if (waitMs <= 0) continue;
      this.#turnAway(refusal('gateway_rate_limited', {}, { requestId: this.#requestId, retryAfterMs: waitMs }));
      return false;
    }
    return true;
  }

  #answerFromCache(cached: CachedAnswer): void {
    const { head } = this.#downstream;
    this.#enter('answering');
    this.#ending = 'cached';
    this.status = cached.status;
    this.#isAnswerWhole = true;
    const headers = [...cached.headers, 'x-request-id', this.#requestId];
    const isBodiless = head.method === 'HEAD' || cached.status === 204 || cached.status === 304;
    this.#downstream.answer(cached.status, '', headers, isBodiless ? 'none' : cached.body.length);
    if (!isBodiless && cached.body.length > 0) this.#downstream.write(cached.body);
    this.#downstream.end(noHeaders);
  }

  granted(): void {
    this.queuedMs = this.#engine.now() - this.startedAt;
    this.#place = 'inside';
    this.#proceed();
  }

  shed(): void {
    this.queuedMs = this.#engine.now() - this.startedAt;
    this.#place = 'none';
    this.#fail('gateway_overloaded');
  }

  #proceed(): void {
    const { service } = this;
    if (service.split !== undefined) this.assigned = service.split.assign(this.#downstream.head.headers, this.#engine.point());
    if (service.mirror !== undefined) {
      this.#mirror = copyToMirror(this.#engine, service, this.#downstream.head, this.#target, this.#fields);
    }
    service.retryBudget?.deposit(this.startedAt);
    this.#attempt(false, 'gateway_no_instance');
  }

  #attempt(onFreshConnection: boolean, lastError: PlainError): void {
    const { dispatch, limits, pools } = this.#engine;
    const chosen = this.attempts < limits.attempts ? dispatch.choose(this.service, this.#tried, this.assigned?.backend) : undefined;
    if (chosen === undefined) {
      this.#fail(lastError);
      return;
    }
    const isRetry = this.#tried.length > 0;
    if (isRetry && this.service.retryBudget?.withdraw(this.#engine.now()) === false) {
      this.#fail(lastError);
      return;
    }
    this.attempts += 1;
    this.#instance = chosen;
    dispatch.acquire(chosen);
    this.#charge(chosen);
    const isSwitching = this.#downstream.head.upgrade !== undefined;
    const kept = onFreshConnection || isSwitching ? undefined : pools.take(chosen);
    const connection = kept ?? pools.open(chosen, isSwitching);
    this.#connection = connection;
    connection.assign(this);
    if (kept === undefined) this.#enter('connecting');
    else this.reached();
  }

  /** The release that has the request from now on. */
  #charge(chosen: Instance): void {
    const backend = this.service.backends.find((each) => each.release === chosen.release);
    if (backend === this.#backend) return;
    if (this.#backend !== undefined) settle(this.#backend, this, 'failed', this.#engine.now());
    this.#backend = backend;
    backend?.meter?.begin();
  }

  reached(): void {
    const { head } = this.#downstream;
    const connection = this.#connection as UpstreamConnection;
    this.#enter(this.#isBodyWhole ? 'waiting' : 'sending');
    connection.send({
      method: head.method,
      head: `${head.method} ${this.#target} HTTP/1.1\r\n${this.#fields}`,
      body: head.body,
      mayContinue: head.expectsContinue,
      maySwitch: head.upgrade !== undefined,
    });
    if (this.#isBodyWhole) return;
    // The first piece of the body, if it is there, leaves with the header.
    process.nextTick(() => connection.flush());
    this.#isBodyHeld = false;
    this.#downstream.resume();
  }

  body(chunk: Buffer): void {
    this.#hasBodyBegun = true;
    this.#mirror?.body(chunk);
    if (this.#connection === undefined) return;
    this.#connection.write(chunk);
    if (this.#connection.flush()) return;
    this.#isBodyHeld = true;
    this.#downstream.pause();
  }

  bodyEnd(trailers: RawHeaders): void {
    this.#hasBodyBegun = true;
    this.#isBodyWhole = true;
    this.#mirror?.bodyEnd();
    if (this.#connection !== undefined) {
      this.#connection.end(forwardableTrailers(trailers));
      this.#connection.flush();
    }
    if (this.#phase === 'sending') this.#enter('waiting');
  }

  bodyBroken(): void {
    if (!this.#isBodyWhole) {
      this.#refuse(refusal('gateway_request_invalid', { reason: 'its body cannot be parsed' }, { requestId: this.#requestId }), true);
    }
  }

  upstreamDrained(): void {
    if (!this.#isBodyHeld) return;
    this.#isBodyHeld = false;
    this.#downstream.resume();
  }

  continued(): void {
    if (this.#hasContinued) return;
    this.#hasContinued = true;
    this.#downstream.continue();
  }

  hinted(headers: RawHeaders): void {
    const links: string[] = [];
    for (let index = 0; index < headers.length; index += 2) {
      if ((headers[index] as string).toLowerCase() === 'link') links.push('Link', headers[index + 1] as string);
    }
    if (links.length > 0) this.#downstream.hint(links);
  }

  answered(answer: ResponseHead): void {
    const { head } = this.#downstream;
    const engine = this.#engine;
    this.#answer = answer;
    this.firstByteAt = engine.now();
    this.#phase = 'answering';
    this.#since = this.firstByteAt;
    this.status = answer.status;
    if (this.#instance !== undefined) engine.dispatch.report(this.#instance, 'answered');
    const { headers, attributes } = clientHead(answer, this.#requestId, engine.date);
    this.attributes = attributes;
    if (this.service.cache !== undefined && head.body === 'none') {
      this.#cacheWriter = this.service.cache.writer(head, answer.status, headers, this.firstByteAt);
    }
    this.#downstream.answer(answer.status, answer.reason, headers, lengthOf(answer));
  }

  answerBody(chunk: Buffer): void {
    this.#cacheWriter?.write(chunk);
    this.#downstream.write(chunk);
  }

  readEnd(): void {
    if (this.#phase !== 'answering' || this.#isAnswerWhole) return;
    if (this.#downstream.flush?.() === false) this.#connection?.pause();
  }

  drained(): void {
    this.#connection?.resume();
  }

  answerEnd(trailers: RawHeaders): void {
    this.#connection = undefined;
    this.#isAnswerWhole = true;
    this.#ending = 'answered';
    this.#cacheWriter?.end();
    this.#letGo();
    this.#downstream.end(forwardableTrailers(trailers));
    this.#discardBody();
  }

  switched(answer: ResponseHead, socket: Socket, first: Buffer): void {
    this.#connection = undefined;
    if (this.#instance !== undefined) this.#engine.dispatch.report(this.#instance, 'answered');
    this.status = answer.status;
    this.firstByteAt = this.#engine.now();
    this.#enter('switched');
    this.#ending = 'switched';
    const headers = [...answer.headers, 'x-request-id', this.#requestId];
    if (this.#downstream.switchTo === undefined) socket.destroy();
    else this.#downstream.switchTo(headers, socket, first);
  }

  broken(because: BrokenBecause, code: string): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (this.#phase === 'connecting') {
      this.#unreachable('gateway_upstream_unreachable');
      return;
    }
    if (this.#answer !== undefined) {
      this.#cut(code);
      return;
    }
    const isRepeatable = !this.#hasBodyBegun && (!this.#isBodyWhole || idempotent.has(this.#downstream.head.method));
    if (connection?.isReused === true && !connection.hasAnswerByte && isRepeatable) {
      if (!this.#isBodyWhole) this.#downstream.pause();
      this.#letGoInstance();
      this.#attempt(true, 'gateway_upstream_failed');
      return;
    }
    if (this.#instance !== undefined) this.#engine.dispatch.report(this.#instance, 'reset');
    this.#warn(code, 'request failed');
    this.#fail(because === 'invalid' ? 'gateway_upstream_invalid' : 'gateway_upstream_failed');
  }

  gone(finished: boolean): void {
    if (!finished && this.#ending === 'answered') this.#ending = 'abandoned';
    this.#end();
  }

  expire(now: number): void {
    const connection = this.#connection;
    const moved =
      this.#downstream.bytesRead() +
      this.#downstream.bytesWritten() +
      (connection === undefined ? 0 : connection.bytesRead + connection.bytesWritten);
    if (moved !== this.#moved) {
      this.#moved = moved;
      this.#active = now;
    }
    this.#checkLimits(now, now - Math.max(this.#since, this.#active));
  }

  terminate(): void {
    this.#downstream.abort();
  }

  #checkLimits(now: number, silence: number): void {
    const { limits } = this.#engine;
    switch (this.#phase) {
      case 'connecting':
        if (now - this.#since > limits.connectMs) this.#unreachable('gateway_connect_timeout');
        return;
      case 'sending':
        if (!this.#hasContinued || this.#isBodyHeld) this.#timeOutUpstream(silence);
        else if (silence > limits.bodyIdleMs) this.#fail('gateway_request_timeout');
        return;
      case 'waiting':
        this.#timeOutUpstream(now - this.#since);
        return;
      case 'answering':
        if (silence <= limits.streamIdleMs) return;
        if (this.#answer === undefined || this.#isAnswerWhole) this.#downstream.abort();
        else this.#cut('idle for too long');
        return;
      case 'switched':
        if (silence > limits.upgradeIdleMs) this.#downstream.abort();
        return;
      case 'queued':
      case 'ended':
        return;
    }
  }

  #timeOutUpstream(waitedMs: number): void {
    if (waitedMs <= this.#engine.limits.responseHeadMs) return;
    if (this.#instance !== undefined) this.#engine.dispatch.report(this.#instance, 'reset');
    this.#fail('gateway_upstream_timeout');
  }

  #unreachable(code: PlainError): void {
    if (this.#instance !== undefined) {
      this.#engine.dispatch.report(this.#instance, 'unreachable');
      this.#tried.push(this.#instance);
    }
    this.#dropUpstream();
    this.#letGoInstance();
    this.#attempt(false, code);
  }

  #fail(code: PlainError): void {
    this.#refuse(refusal(code, {}, { requestId: this.#requestId }), code === 'gateway_request_timeout');
  }

  #refuse(refused: Refusal, mustClose: boolean): void {
    if (this.#phase === 'ended') return;
    this.#dropUpstream();
    this.#letGo();
    if (this.#phase === 'answering') {
      this.#downstream.abort();
      return;
    }
    this.#enter('answering');
    this.status = refused.status;
    this.#ending = refused.status >= 500 && refused.status !== 500 ? 'failed' : 'refused';
    // A client that was never told to go on may or may not send its body: only closing is unambiguous.
    this.#downstream.refuse(refused, mustClose || !this.#hasContinued);
    this.#discardBody();
  }

  /** The answer has begun and cannot be finished. */
  #cut(reason: string): void {
    if (this.#phase === 'ended') return;
    this.#warn(reason, 'answer broke off');
    this.#dropUpstream();
    this.#letGo();
    this.#ending = 'aborted';
    this.#downstream.flush?.();
    this.#downstream.abort();
  }

  /** The rest of a body that nobody wants is read and dropped, so that the connection stays in step. */
  #discardBody(): void {
    if (!this.#isBodyWhole) this.#downstream.resume();
  }

  #enter(next: Phase): void {
    this.#phase = next;
    this.#since = this.#engine.now();
  }

  #dropUpstream(): void {
    const dropped = this.#connection;
    this.#connection = undefined;
    dropped?.drop();
  }

  #letGoInstance(): void {
    const held = this.#instance;
    this.#instance = undefined;
    if (held !== undefined) this.#engine.dispatch.release(held);
  }

  /** No instance works on it any more: the next in line may go. */
  #letGo(): void {
    this.#letGoInstance();
    const place = this.#place;
    this.#place = 'none';
    if (place === 'inside') this.service.limiter?.leave();
    else if (place === 'waiting') this.service.limiter?.cancel(this);
  }

  #end(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#dropUpstream();
    this.#letGo();
    this.#mirror?.bodyBroken();
    this.#engine.running.delete(this);
    if (this.#backend !== undefined) settle(this.#backend, this, this.#ending, this.#engine.now());
  }

  #warn(reason: string, message: string): void {
    const { log } = this.#engine;
    log.warn({ requestId: this.#requestId, service: this.service.name, instance: this.#instance?.id, reason }, message);
  }
}
