import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { refusal, answerWith, type Refusal } from './answer.ts';
import { admit, type Side } from './admit.ts';
import { createClientConnections } from './client-connections.ts';
import type { Engine } from './engine.ts';
import { startExchange } from './exchange.ts';
import { outgoingHead } from './request-headers.ts';
import { splice, switchingHead } from './splice.ts';

/**
 * An HTTP/1.1 server that sends every request on its way. Node's strict parser is the first guard against smuggling, `checkRequest` the
 * second. The caller makes it listen.
 */
export function createFront(engine: Engine, side: Side): Server {
  const { limits } = engine;
  const connections = createClientConnections(engine);
  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.requestHeadMs,
    requestTimeout: 0,
    connectionsCheckingInterval: Math.max(50, Math.min(1_000, limits.requestHeadMs / 4)),
    keepAliveTimeout: limits.clientKeepAliveMs,
    requireHostHeader: false,
    insecureHTTPParser: false,
    noDelay: true,
    shouldUpgradeCallback: isUpgradeWorthwhile,
  });
  // Zero: Node would silently drop what exceeds the limit; `checkRequest` refuses it.
  server.maxHeadersCount = 0;

  const handle = (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean, clientHead?: Buffer): void => {
    try {
      pass(req, res, expectsContinue, clientHead);
    } catch (error) {
      engine.log.error({ reason: String(error), stack: error instanceof Error ? error.stack : undefined }, 'request handler failed');
      if (res.headersSent) req.socket.destroy();
      else answerWith(res, refusal('gateway_failure', {}), { close: true });
    }
  };

  const pass = (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean, clientHead: Buffer | undefined): void => {
    const admission = admit(req, side, engine.dispatch.routes(), limits.headerCount);
    if (admission.outcome === 'refused') {
      if (admission.close) connections.closing(req.socket);
      answerWith(res, admission.refusal, { close: admission.close || expectsContinue || clientHead !== undefined || engine.isStopping() });
      return;
    }
    const { request, caller, service, target } = admission;
    const isExpecting = expectsContinue && request.body !== 'none';
    const { headers, requestId } = outgoingHead(req, {
      authority: request.authority,
      body: request.body,
      contentLength: request.contentLength,
      expectsContinue: isExpecting,
      caller,
      upgrade: clientHead === undefined ? undefined : req.headers.upgrade,
      identifier: engine.identifier,
    });
    startExchange(engine, {
      req,
      res,
      service,
      target,
      headers,
      requestId,
      body: request.body,
      expectsContinue: isExpecting,
      connection: connections.of(req.socket),
      ...(clientHead && {
        onUpgrade: (answer: IncomingMessage, upstream: Duplex, upstreamHead: Buffer, ended: () => void) => {
          res.detachSocket(req.socket);
          splice(req.socket, upstream, { toClient: switchingHead(answer, requestId), upstreamHead, clientHead }, ended);
        },
      }),
    });
  };

  server.on('connection', (socket) => connections.open(socket));
  server.on('request', (req, res) => handle(req, res, false));
  server.on('checkContinue', (req, res) => handle(req, res, true));
  server.on('checkExpectation', (_req, res) => answerWith(res, refusal('gateway_expectation_failed', {}), { close: true }));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => connections.spoiled(socket as Socket, error));
  server.on('connect', (req, socket) => respondAlone(req, socket as Socket, refusal('gateway_request_unsupported', { what: 'CONNECT' })));
  server.on('upgrade', (req, duplex, head) => {
    const socket = duplex as Socket;
    if (!isUpgradeWorthwhile(req) || connections.isBusy(socket)) {
      respondAlone(req, socket, refusal('gateway_request_unsupported', { what: 'this protocol switch' }));
      return;
    }
    handle(req, responseOn(req, socket), false, head);
  });
  return server;
}

/**
 * Whether to offer the switch to the instance. HTTP/2 is not: requests in it would pass the gateway unseen (h2c smuggling). Neither is a
 * request with a body. What is not worthwhile is treated as if it had no Upgrade field (RFC 9110 section 7.8).
 */
function isUpgradeWorthwhile(req: IncomingMessage): boolean {
  const protocol = req.headers.upgrade ?? '';
  const hasBody = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) !== 0;
  return (
    req.method === 'GET' && req.httpVersionMinor === 1 && !hasBody && /^(?!h2c?$|http\b)[a-z0-9._-]+(?:\/[a-z0-9._-]+)?$/i.test(protocol)
  );
}

/** A response object for a connection that Node's server has let go of because its request asked for a protocol switch. */
function responseOn(req: IncomingMessage, socket: Socket): ServerResponse {
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  const drain = (): boolean => res.emit('drain');
  socket.on('drain', drain);
  socket.on('error', () => socket.destroy());
  res.on('finish', () => {
    socket.off('drain', drain);
    res.detachSocket(socket);
    socket.destroySoon();
  });
  return res;
}

function respondAlone(req: IncomingMessage, socket: Socket, refused: Refusal): void {
  answerWith(responseOn(req, socket), refused, { close: true });
}
