import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../../../effects/clock.ts';
import { portOf } from '../raw-client.ts';

/** A real server that plays an instance: it answers, streams, takes uploads and speaks WebSocket. */
export interface SoakInstance {
  readonly id: string;
  readonly port: number;
  /** What came after `retire`: nothing may. */
  readonly late: readonly string[];
  /** From here on the gateway has said that it sends nothing new. */
  retire(): void;
  close(): Promise<void>;
}

export const streamedEvents = 10;
const eventMs = 30;

export async function startInstance(id: string): Promise<SoakInstance> {
  const late: string[] = [];
  let isRetired = false;
  const came = (req: IncomingMessage): void => {
    if (isRetired) late.push(`${req.method} ${req.url}`);
  };
  const server: Server = createServer((req, res) => {
    came(req);
    if (req.url === '/stream') stream(id, res);
    else if (req.url === '/upload') digestOf(req, res);
    else res.end(id);
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (req, socket, head) => {
    came(req);
    sockets.handleUpgrade(req, socket, head, (ws: WebSocket) => {
      ws.on('message', (data: Buffer) => ws.send(data.toString()));
    });
  });
  const port = await portOf(server);
  return {
    id,
    port,
    late,
    retire: () => {
      isRetired = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const client of sockets.clients) client.terminate();
      }),
  };
}

function stream(id: string, res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = async (): Promise<void> => {
    for (let event = 1; event <= streamedEvents; event += 1) {
      res.write(`data: ${id} ${event}\n\n`);
      await systemClock.sleep(eventMs);
    }
    res.end('data: end\n\n');
  };
  void send();
}

function digestOf(req: IncomingMessage, res: ServerResponse): void {
  const digest = createHash('sha256');
  req.on('data', (chunk: Buffer) => digest.update(chunk));
  req.on('end', () => res.end(digest.digest('hex')));
}
