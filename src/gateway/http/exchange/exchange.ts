import type { Socket } from 'node:net';
import { isFailureStatus } from '../../balancing/outliers.ts';
import type { CacheWriter } from '../../cache/response-cache.ts';
import type { Waiting } from '../../limits/limiter.ts';
import type { Ending } from '../../measuring/meter.ts';
import type { RoutedService } from '../../routing/routes.ts';
import { type PlainError, refusal, type Refusal } from '../answer.ts';
import type { Downstream, Exchange, RawHeaders } from '../downstream.ts';
import type { Engine, Running } from '../engine.ts';
import { clientHead, earlyHints, lengthOf } from '../response-headers.ts';
import type { BrokenBecause, UpstreamEvents } from '../upstream/events.ts';
import { forwardableTrailers } from '../wire/field-kinds.ts';
import type { ResponseHead } from '../wire/response-head.ts';
import type { Side } from './admit.ts';
import { Attempts, isRepeatable, isUnseen } from './attempts.ts';
import { Place } from './door.ts';
import { copyForCache, enter, type Entered, renewed } from './entry.ts';
import { answerFromCache } from './from-cache.ts';
import { copyToMirror, type MirrorCopy } from './mirror.ts';
import { Patience, type Phase } from './patience.ts';
import { ExchangeAccount } from './exchange-account.ts';

export function createExchange(engine: Engine, side: Side, downstream: Downstream): Exchange {
  return new RequestExchange(engine, side, downstream);
}

/**
 * Carries one request to an instance and its answer back, streaming both ways with back-pressure. Tried again on another instance only
 * while no instance can have acted on it: the connection could not be made, or a reused one was closed before it carried an answer and
 * the request is safe to repeat. An answer that breaks off is cut for the client too, so that it never looks complete.
 */
class RequestExchange extends ExchangeAccount implements Exchange, UpstreamEvents, Running, Waiting {
  slot = -1;
  priority: Waiting['priority'] = 'normal';
  readonly #side: Side;
  readonly #patience: Patience;
  #requestId = '';
  #place: Place | undefined;
  #answer: ResponseHead | undefined;
  #cacheWriter: CacheWriter | undefined;
  #mirror: MirrorCopy | undefined;
  #isAnswerWhole = false;
  #hasBodyBegun = false;
  #isBodyHeld = false;
  #hasContinued: boolean;

  constructor(engine: Engine, side: Side, downstream: Downstream) {
    super(engine, downstream);
    this.#side = side;
    this.#patience = new Patience(this.startedAt);
    this.isWhole = downstream.head.body === 'none';
    this.#hasContinued = !downstream.head.expectsContinue;
  }

  // ---- To an instance.

  begin(): void {
    try {
      this.#route();
    } catch (error) {
      this.#defect(error);
    }
  }

  #route(): void {
    const entry = enter(this.engine, this.#side, this.downstream.head, this.startedAt);
    if (entry.outcome === 'refused') {
      // No service has it: it is not counted as under way.
      this.#enter('answering');
      this.ending = 'refused';
      this.service = entry.service;
      this.status = entry.refusal.status;
      this.downstream.refuse(entry.refusal, this.downstream.head.expectsContinue);
      return;
    }
    this.service = entry.service;
    this.assigned = entry.assigned;
    this.priority = entry.priority;
    this.entered = entry;
    this.#requestId = entry.requestId;
    this.engine.running.add(this);
    if (entry.cached === undefined) {
      this.#enterService(entry.service);
      return;
    }
    this.#enter('answering');
    this.ending = 'cached';
    this.status = entry.cached.status;
    this.#isAnswerWhole = true;
    answerFromCache(this.downstream, entry.cached, this.#requestId);
  }

  #enterService(service: RoutedService): void {
    if (!this.isWhole) this.downstream.pause();
    if (service.limiter !== undefined) {
      this.#place = new Place(service.limiter, this);
      const answer = this.#place.enter();
      if (answer === 'shed') this.#fail('gateway_overloaded');
      if (answer !== 'granted') return;
    }
    this.#proceed();
  }

  granted(): void {
    this.#place?.granted();
    this.queuedMs = this.engine.now() - this.startedAt;
    const entered = renewed(this.engine, this.service as RoutedService, this.downstream.head);
    if (entered === undefined) {
      this.#fail('gateway_no_instance');
      return;
    }
    ({ service: this.service, assigned: this.assigned } = entered);
    this.#proceed();
  }

  shed(): void {
    this.#place?.shed();
    this.queuedMs = this.engine.now() - this.startedAt;
    this.#fail('gateway_overloaded');
  }

  #proceed(): void {
    const service = this.service as RoutedService;
    if (service.mirror !== undefined) {
      const placed = { service, assigned: this.assigned, queuedMs: this.queuedMs };
      this.#mirror = copyToMirror(this.engine, this.downstream.head, this.entered as Entered, placed);
    }
    this.tries = new Attempts(this.engine, service, this);
    this.#attempt(false, 'gateway_no_instance');
  }

  #attempt(onFreshConnection: boolean, lastError: PlainError): void {
    const how = this.downstream.head.upgrade !== undefined ? 'switching' : onFreshConnection ? 'fresh' : 'any';
    try {
      const found = this.tries?.next(this, how);
      if (found === 'ready') this.reached();
      else if (found === 'connecting') this.#enter('connecting');
      else this.#fail(lastError);
    } catch (error) {
      this.#defect(error);
    }
  }

  reached(): void {
    const { head } = this.downstream;
    const { target, fields } = this.entered as Entered;
    const connection = this.tries?.connection;
    this.#enter(this.isWhole ? 'waiting' : 'sending');
    connection?.send({
      method: head.method,
      head: `${head.method} ${target} HTTP/1.1\r\n${fields}`,
      body: head.body,
      mayContinue: head.expectsContinue,
      maySwitch: head.upgrade !== undefined,
    });
    if (this.isWhole) return;
    // The first piece of the body, if it is there, leaves with the header.
    process.nextTick(() => connection?.flush());
    this.#isBodyHeld = false;
    this.downstream.resume();
  }

  body(chunk: Buffer): void {
    this.#hasBodyBegun = true;
    this.#mirror?.body(chunk);
    const connection = this.tries?.connection;
    if (connection === undefined) return;
    connection.write(chunk);
    if (connection.flush()) return;
    this.#isBodyHeld = true;
    this.downstream.pause();
  }

  bodyEnd(trailers: RawHeaders): void {
    this.#hasBodyBegun = true;
    this.isWhole = true;
    this.#mirror?.bodyEnd();
    const connection = this.tries?.connection;
    connection?.end(forwardableTrailers(trailers));
    connection?.flush();
    if (this.#patience.phase === 'sending') this.#enter('waiting');
  }

  bodyBroken(): void {
    if (this.isWhole) return;
    this.#refuse(refusal('gateway_request_invalid', { reason: 'its body cannot be parsed' }, { requestId: this.#requestId }), true);
  }

  upstreamDrained(): void {
    if (!this.#isBodyHeld) return;
    this.#isBodyHeld = false;
    this.downstream.resume();
  }

  // ---- And back.

  continued(): void {
    if (this.#hasContinued) return;
    this.#hasContinued = true;
    this.downstream.continue();
  }

  hinted(headers: RawHeaders): void {
    this.downstream.hint(earlyHints(headers));
  }

  answered(answer: ResponseHead): void {
    this.#answer = answer;
    this.status = answer.status;
    this.#enter('answering');
    this.firstByteAt = this.#patience.since;
    this.tries?.report(isFailureStatus(answer.status) ? 'failing' : 'answered');
    const { headers, text, attributes } = clientHead(answer, this.#requestId, this.engine.date);
    this.attributes = attributes;
    this.#cacheWriter = copyForCache(this.entered as Entered, answer.status, headers, this.firstByteAt, this.tries?.instance);
    this.downstream.answer(answer.status, answer.reason, headers, lengthOf(answer), text);
  }

  answerBody(chunk: Buffer): void {
    this.#cacheWriter?.write(chunk);
    this.downstream.write(chunk);
  }

  readEnd(): void {
    if (this.#patience.phase !== 'answering' || this.#isAnswerWhole) return;
    if (this.downstream.flush?.() === false) this.tries?.connection?.pause();
  }

  drained(): void {
    this.tries?.connection?.resume();
  }

  answerEnd(trailers: RawHeaders): void {
    if (this.tries !== undefined) this.tries.connection = undefined;
    this.#isAnswerWhole = true;
    this.ending = 'answered';
    this.#cacheWriter?.end();
    this.#letGo();
    this.downstream.end(forwardableTrailers(trailers));
    this.#discardBody();
  }

  switched(answer: ResponseHead, socket: Socket, first: Buffer): void {
    if (this.tries !== undefined) this.tries.connection = undefined;
    this.tries?.report('answered');
    this.status = answer.status;
    this.#enter('switched');
    this.firstByteAt = this.#patience.since;
    this.ending = 'switched';
    const headers = [...answer.headers, 'x-request-id', this.#requestId];
    if (this.downstream.switchTo === undefined) socket.destroy();
    else this.downstream.switchTo(headers, socket, first);
  }

  // ---- What goes wrong.

  broken(because: BrokenBecause, code: string): void {
    const attempts = this.tries as Attempts;
    const { connection } = attempts;
    attempts.connection = undefined;
    if (this.#patience.phase === 'connecting') {
      this.#unreachable('gateway_upstream_unreachable');
      return;
    }
    if (this.#answer !== undefined) {
      this.#cut(code);
      return;
    }
    if (connection !== undefined && isUnseen(connection) && isRepeatable(this.downstream.head, this.#hasBodyBegun)) {
      if (!this.isWhole) this.downstream.pause();
      attempts.letGo();
      this.#attempt(true, 'gateway_upstream_failed');
      return;
    }
    attempts.report('reset');
    this.#warn(code, 'request failed');
    this.#fail(because === 'invalid' ? 'gateway_upstream_invalid' : 'gateway_upstream_failed');
  }

  gone(finished: boolean): void {
    if (this.#patience.phase === 'ended') return;
    if (!finished && this.ending === 'answered') this.ending = 'abandoned';
    this.#patience.phase = 'ended';
    this.#letGo();
    const ended = this.settle();
    if (ended !== undefined) this.#mirror?.ended(ended);
    this.engine.running.delete(this);
  }

  terminate(): void {
    this.downstream.abort();
  }

  expire(now: number): void {
    const connection = this.tries?.connection;
    const upstream = connection === undefined ? 0 : connection.bytesRead + connection.bytesWritten;
    const moved = upstream + this.downstream.bytesRead() + this.downstream.bytesWritten();
    const awaitsInstance = !this.#hasContinued || this.#isBodyHeld;
    switch (this.#patience.check(this.engine.limits, moved, awaitsInstance, now)) {
      case 'connection':
        this.#unreachable('gateway_connect_timeout');
        return;
      case 'client':
        this.#fail('gateway_request_timeout');
        return;
      case 'instance':
        this.tries?.report('reset');
        this.#fail('gateway_upstream_timeout');
        return;
      case 'stream':
        if (this.#answer === undefined || this.#isAnswerWhole) this.downstream.abort();
        else this.#cut('idle for too long');
        return;
      case undefined:
        return;
    }
  }

  #unreachable(code: PlainError): void {
    this.tries?.giveUpOn('unreachable');
    this.#attempt(false, code);
  }

  /** A fault of the gateway itself costs this request only. */
  #defect(error: unknown): void {
    this.engine.log.error({ reason: String(error), stack: error instanceof Error ? error.stack : undefined }, 'request handler failed');
    this.#refuse(refusal('gateway_failure', {}), true);
  }

  #fail(code: PlainError): void {
    // One that is turned away by the limits says nothing of how the release does.
    const isOverload = code === 'gateway_overloaded';
    const refused = refusal(
      code,
      {},
      { requestId: this.#requestId, retryAfterMs: isOverload ? this.service?.limiter?.waitMs() : undefined },
    );
    this.#refuse(refused, code === 'gateway_request_timeout', refused.status > 500 && !isOverload ? 'failed' : 'refused');
  }

  #refuse(refused: Refusal, mustClose: boolean, ending: Ending = 'refused'): void {
    if (this.#patience.phase === 'ended') return;
    this.tries?.drop();
    this.#letGo();
    if (this.#patience.phase === 'answering') {
      this.downstream.abort();
      return;
    }
    this.#enter('answering');
    this.status = refused.status;
    this.ending = ending;
    this.downstream.refuse(refused, mustClose);
    this.#discardBody();
  }

  /** The answer has begun and cannot be finished. */
  #cut(reason: string): void {
    this.#warn(reason, 'answer broke off');
    this.tries?.drop();
    this.#letGo();
    this.ending = 'aborted';
    this.downstream.flush?.();
    this.downstream.abort();
  }

  /** The rest of a body that nobody wants is read and dropped, so that the connection stays in step. */
  #discardBody(): void {
    if (!this.isWhole) this.downstream.resume();
  }

  #enter(next: Phase): void {
    this.#patience.enter(next, this.engine.now());
  }

  /** No instance works on it any more: the next in line may go. */
  #letGo(): void {
    this.tries?.letGo();
    this.#place?.leave();
  }

  #warn(reason: string, message: string): void {
    const { log } = this.engine;
    log.warn({ requestId: this.#requestId, service: this.service?.name, instance: this.tries?.instance?.id, reason }, message);
  }
}
