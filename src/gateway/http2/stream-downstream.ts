import { constants, type ServerHttp2Stream } from 'node:http2';
import { refusalHeaders } from '../http/answer.ts';
import type { Downstream, DownstreamEvents, RawHeaders, RequestHead } from '../http/downstream.ts';
import { answerFields } from './answer-fields.ts';

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants;

export interface StreamDownstream extends Downstream {
  /** Tells `events` what happens on the stream from now on. */
  attach(events: DownstreamEvents): void;
}

/** The client's side of one exchange on an HTTP/2 stream. */
export function createStreamDownstream(stream: ServerHttp2Stream, head: RequestHead): StreamDownstream {
  let read = 0;
  let written = 0;
  let hasAnswered = false;
  let isBodiless = false;
  let hasEnded = false;
  let hasGone = false;
  let hasRequestEnded = head.body === 'none';
  let hasLeftRequest = false;
  let trailersOut: RawHeaders = [];

  const isUsable = (): boolean => !hasGone && !stream.destroyed && !stream.closed;

  const respond = (status: number, headers: RawHeaders, length: number | 'none', endStream: boolean): boolean => {
    const isFramed = typeof length === 'number' && length >= 0;
    const options = { endStream, ...(length === -1 && !endStream && { waitForTrailers: true }) };
    for (const repeats of ['all', 'first'] as const) {
      const fields = answerFields(headers, repeats);
      if (isFramed) fields['content-length'] = String(length);
      fields[':status'] = status;
      try {
        stream.respond(fields, options);
        return true;
      } catch {
        // Tried once more without repetitions the library does not take.
      }
    }
    stream.close(NGHTTP2_INTERNAL_ERROR);
    return false;
  };

  /** Whatever the client still sends is of no use any more (RFC 9113 section 8.1). */
  const leaveRequest = (): void => {
    hasEnded = true;
    if (hasRequestEnded) return;
    hasLeftRequest = true;
    stream.close(NGHTTP2_NO_ERROR);
  };

  /**
   * A stream that closes without an error has been ended by both sides, and so is whole, whether or not Node has told its writer yet. Where
   * it was closed here because the request went on, that says nothing, and the writer has to know.
   */
  const isWhole = (): boolean =>
    hasEnded && stream.rstCode === NGHTTP2_NO_ERROR && (hasLeftRequest ? stream.writableFinished : stream.writableEnded || isBodiless);

  const inform = (status: number, headers: RawHeaders): void => {
    if (!isUsable() || hasAnswered) return;
    try {
      stream.additionalHeaders({ ...answerFields(headers, 'first'), ':status': status });
    } catch {
      // An interim answer may be left out.
    }
  };

  stream.on('wantTrailers', () => {
    try {
      stream.sendTrailers(answerFields(trailersOut, 'first'));
    } catch {
      stream.close(NGHTTP2_INTERNAL_ERROR);
    }
  });
  stream.on('error', () => {});

  return {
    head,
    continue: () => inform(100, []),
    hint: (headers) => inform(103, headers),
    answer: (status, _reason, headers, length) => {
      if (!isUsable() || hasAnswered) return;
      hasAnswered = true;
      isBodiless = length === 'none' || status === 204 || status === 205 || status === 304 || head.method === 'HEAD';
      if (respond(status, headers, length, isBodiless) && isBodiless) leaveRequest();
    },
    write: (chunk) => {
      if (!isUsable() || isBodiless || hasEnded || !hasAnswered) return true;
      written += chunk.length;
      return stream.write(chunk);
    },
    end: (trailers) => {
      if (!isUsable() || hasEnded || !hasAnswered) return;
      trailersOut = trailers;
      stream.end();
      leaveRequest();
    },
    refuse: (refusal) => {
      if (!isUsable() || hasAnswered) return;
      hasAnswered = true;
      isBodiless = head.method === 'HEAD';
      if (!respond(refusal.status, refusalHeaders(refusal), Buffer.byteLength(refusal.body), isBodiless)) return;
      if (!isBodiless) stream.end(refusal.body);
      leaveRequest();
    },
    abort: () => {
      if (!isUsable()) return;
      hasEnded = true;
      stream.close(NGHTTP2_INTERNAL_ERROR);
    },
    pause: () => {
      if (isUsable()) stream.pause();
    },
    resume: () => {
      if (isUsable()) stream.resume();
    },
    bytesRead: () => read,
    bytesWritten: () => written,
    attach: (events) => {
      let trailersIn: RawHeaders = [];
      stream.on('trailers', (_headers, _flags, raw) => {
        trailersIn = raw;
      });
      stream.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (!hasGone && head.body !== 'none') events.body(chunk);
      });
      // A stream that is reset ends for its readers as well; only one that is whole has a body that is.
      stream.on('end', () => {
        if (hasGone || hasRequestEnded || stream.aborted || stream.rstCode !== NGHTTP2_NO_ERROR || hasEnded) return;
        hasRequestEnded = true;
        events.bodyEnd(trailersIn);
      });
      stream.on('drain', () => {
        if (!hasGone) events.drained();
      });
      stream.on('close', () => {
        if (hasGone) return;
        hasGone = true;
        events.gone(isWhole());
      });
    },
  };
}
