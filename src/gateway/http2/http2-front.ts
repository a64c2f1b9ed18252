import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { refusal, type Refusal } from '../http/answer.ts';
import type { Downstream, DownstreamEvents, RequestHead } from '../http/downstream.ts';
import type { Limits } from '../http/limits.ts';
import { createAllowance } from './abuse.ts';
import { type CheckedStream, checkStreamHead } from './request-fields.ts';
import { createStreamDownstream } from './stream-downstream.ts';

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR } = constants;

export interface Http2Front {
  /** Serves a connection on which HTTP/2 was agreed. `mayCarry` tells whether it may carry requests for a host. */
  accept(socket: TLSSocket, mayCarry: (host: string) => boolean): void;
  /** Tells every client to send new requests elsewhere; what runs goes on. */
  retire(): void;
  /** Breaks off every connection that is left. */
  destroy(): void;
  /** Ends connections that have been idle for too long. `now` is monotonic milliseconds. */
  expire(now: number): void;
  readonly connections: number;
}

export interface Http2FrontOptions {
  /** Begins an exchange. It may answer at once, and is told nothing before it returns. */
  readonly serve: (downstream: Downstream) => DownstreamEvents;
  readonly limits: Pick<Limits, 'headerBytes' | 'headerCount' | 'clientKeepAliveMs'>;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

interface Activity {
  streams: number;
  /** When the last one ended, or the connection began. */
  idleSince: number;
}

const maxConcurrentStreams = 128;
/** The largest stream id: says that the connection will end, while requests on their way are still taken. */
const lastStreamOfAll = 2 ** 31 - 1;

/**
 * HTTP/2 on connections that are encrypted and accepted already. Bounds what one client can make the gateway do: streams at a time, size of a
 * header (CONTINUATION floods included), streams that are begun and reset (CVE-2023-44487), SETTINGS and PING frames to be acknowledged.
 * WebSockets are not offered on HTTP/2 (RFC 8441): clients open an HTTP/1.1 connection for them.
 */
export function createHttp2Front({ serve, limits, now, report }: Http2FrontOptions): Http2Front {
  const sessions = new Map<ServerHttp2Session, Activity>();
  let isRetiring = false;

  const start = (stream: ServerHttp2Stream, head: RequestHead, refused: Refusal | undefined): void => {
    const downstream = createStreamDownstream(stream, head);
    if (refused) {
      downstream.attach(ignoring);
      downstream.refuse(refused, false);
      return;
    }
    try {
      downstream.attach(serve(downstream));
    } catch (error) {
      report(error);
      downstream.attach(ignoring);
      downstream.refuse(refusal('gateway_failure', {}), false);
    }
  };

  return {
    accept: (socket, mayCarry) => {
      const clientAddress = plainAddress(socket.remoteAddress);
      const session = performServerHandshake(socket, {
        maxHeaderListPairs: limits.headerCount + 8,
        maxSendHeaderBlockLength: 1024 * 1024,
        maxSettings: 32,
        maxOutstandingPings: 4,
        settings: { maxConcurrentStreams, maxHeaderListSize: limits.headerBytes * 2, enablePush: false },
      });
      const activity: Activity = { streams: 0, idleSince: now() };
      sessions.set(session, activity);
      const resets = createAllowance(200, 20, now);
      const acknowledgements = createAllowance(100, 10, now);

      const calm = (): void => {
        if (session.destroyed) return;
        session.goaway(NGHTTP2_ENHANCE_YOUR_CALM);
        session.destroy();
      };
      const acknowledge = (): void => {
        if (!acknowledgements.spend()) calm();
      };

      session.on('stream', (stream, _headers, flags, raw) => {
        activity.streams += 1;
        stream.on('close', () => {
          activity.streams -= 1;
          activity.idleSince = now();
          const wasReset = stream.aborted || stream.rstCode !== NGHTTP2_NO_ERROR;
          if (wasReset && !resets.spend()) calm();
        });
        const endsStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
        const checked = checkStreamHead(raw, { endsStream, clientAddress, ...limits });
        if (checked.outcome !== 'accepted') start(stream, headOfRefused(raw, clientAddress), refusalOf(checked));
        else start(stream, checked.head, mayCarry(checked.head.host) ? undefined : refusal('gateway_misdirected', {}));
      });
      session.on('remoteSettings', acknowledge);
      session.on('ping', acknowledge);
      session.on('error', () => session.destroy());
      session.on('close', () => sessions.delete(session));
      if (isRetiring) retire(session);
    },
    retire: () => {
      isRetiring = true;
      for (const session of sessions.keys()) retire(session);
    },
    destroy: () => {
      for (const session of sessions.keys()) session.destroy();
    },
    expire: (at) => {
      for (const [session, { streams, idleSince }] of sessions) {
        if (streams === 0 && at - idleSince > limits.clientKeepAliveMs && !session.closed) session.close();
      }
    },
    get connections() {
      return sessions.size;
    },
  };
}

/** In two steps, so that no request that is on its way meets a closed door (RFC 9113 section 6.8). */
function retire(session: ServerHttp2Session): void {
  if (session.destroyed || session.closed) return;
  session.goaway(NGHTTP2_NO_ERROR, lastStreamOfAll);
  const close = (): void => {
    if (!session.destroyed && !session.closed) session.close();
  };
  if (!session.ping(close)) close();
}

function refusalOf(checked: Exclude<CheckedStream, { outcome: 'accepted' }>): Refusal {
  if (checked.outcome === 'invalid') return refusal('gateway_request_invalid', { reason: checked.reason });
  if (checked.outcome === 'unsupported') return refusal('gateway_request_unsupported', { what: checked.what });
  return refusal('gateway_headers_too_large', {});
}

/** Enough of a request that is refused to answer it: an answer to HEAD has no body. */
function headOfRefused(raw: readonly string[], clientAddress: string): RequestHead {
  const method = raw[raw.indexOf(':method') + 1] === 'HEAD' ? 'HEAD' : 'GET';
  const nothing = { authority: '', host: '', target: '/', headers: [], expectsContinue: false, upgrade: undefined, clientAddress };
  return { method, ...nothing, protocol: 'HTTP/2.0', body: 'stream', contentLength: -1, isEncrypted: true };
}

const ignoring: DownstreamEvents = { body: () => {}, bodyEnd: () => {}, bodyBroken: () => {}, drained: () => {}, gone: () => {} };

/** `127.0.0.1` for `::ffff:127.0.0.1`. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
