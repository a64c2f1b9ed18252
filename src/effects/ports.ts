import { createServer } from 'node:net';

/** A TCP port on which nothing listened a moment ago. `preferred` is taken when it is free. Rejects when the host has no such address. */
export async function freePort(host: string, preferred?: number): Promise<number> {
  if (preferred !== undefined && (await canListen(host, preferred))) return preferred;
  return listenOnce(host, 0);
}

/** Where ports are looked for that would begin at `usual`: `SLUICE_PORT_OFFSET` above it, so that many homes of one machine stay out of each other's way. */
export function firstPortFrom(usual: number): number {
  const offset = Number(process.env['SLUICE_PORT_OFFSET'] ?? 0);
  return Number.isInteger(offset) && offset >= 0 && usual + offset < 65_536 ? usual + offset : usual;
}

/** The first free port from `first` on; for ports people read and type. */
export async function firstFreePort(host: string, first: number): Promise<number> {
  for (let port = first; port < Math.min(first + 1_000, 65_536); port += 1) {
    if (await canListen(host, port)) return port;
  }
  return listenOnce(host, 0);
}

/** Whether a program could listen there at this moment. */
export async function canListen(host: string, port: number): Promise<boolean> {
  return listenOnce(host, port).then(
    () => true,
    () => false,
  );
}

function listenOnce(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.unref();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
}
