import { connect, type Socket } from 'node:net';

/** Something that bothers a port until it is stopped. */
export interface Attack {
  stop(): void;
}

function sockets(port: number, count: number, onConnect: (socket: Socket) => void): Set<Socket> {
  const open = new Set<Socket>();
  for (let index = 0; index < count; index += 1) {
    const socket = connect({ port, host: '127.0.0.1' });
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    socket.once('connect', () => onConnect(socket));
  }
  return open;
}

function destroyAll(open: ReadonlySet<Socket>): void {
  for (const socket of open) socket.destroy();
}

const beginning = 'GET / HTTP/1.1\r\nHost: app.test\r\n';

/** Clients that never end their header and send a byte of it now and then. */
export function slowloris(port: number, count: number): Attack {
  const open = sockets(port, count, (socket) => socket.write(`${beginning}X-A: `));
  const timer = setInterval(() => {
    for (const socket of open) socket.write('a');
  }, 200);
  return {
    stop: () => {
      clearInterval(timer);
      destroyAll(open);
    },
  };
}

/** Connections that are opened and dropped as fast as one process can. */
export function connectionFlood(port: number, atOnce: number): Attack {
  return again(port, atOnce, (socket) => {
    socket.once('connect', () => socket.resetAndDestroy());
  });
}

/** Clients that send a megabyte of header, again and again. */
export function hugeHeaders(port: number, atOnce: number): Attack {
  const header = Buffer.from(`${beginning}X-A: ${'a'.repeat(1_000_000)}\r\n\r\n`);
  return again(port, atOnce, (socket) => {
    socket.on('data', () => socket.destroy());
    socket.once('connect', () => socket.write(header));
  });
}

/** So many connections all the time: whenever one closes, another is opened. */
function again(port: number, atOnce: number, use: (socket: Socket) => void): Attack {
  let isStopped = false;
  const open = new Set<Socket>();
  const next = (): void => {
    if (isStopped) return;
    const socket = connect({ port, host: '127.0.0.1' });
    open.add(socket);
    socket.on('error', () => {});
    use(socket);
    socket.on('close', () => {
      open.delete(socket);
      setImmediate(next);
    });
  };
  for (let index = 0; index < atOnce; index += 1) next();
  return {
    stop: () => {
      isStopped = true;
      destroyAll(open);
    },
  };
}

/** Clients that send these bytes and then neither send nor read anything. */
export function silent(port: number, count: number, bytes: string): Attack {
  const open = sockets(port, count, (socket) => {
    socket.pause();
    socket.write(bytes);
  });
  return { stop: () => destroyAll(open) };
}

/** Clients that ask on a kept connection without pause: each has its next request out as soon as an answer begins. */
export function busyClients(port: number, count: number): Attack {
  const open = sockets(port, count, (socket) => {
    const ask = (): unknown => socket.write(`${beginning}\r\n`);
    socket.on('data', ask);
    ask();
  });
  return { stop: () => destroyAll(open) };
}

/** Clients that ask for a path of the service under attack, each again as soon as it is answered or refused. */
export function requests(port: number, count: number, path: string): Attack {
  let isStopped = false;
  const open = new Set<Socket>();
  const again = (): void => {
    if (isStopped) return;
    const socket = connect({ port, host: '127.0.0.1' });
    open.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.once('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n`));
    socket.on('close', () => {
      open.delete(socket);
      setImmediate(again);
    });
  };
  for (let index = 0; index < count; index += 1) again();
  return {
    stop: () => {
      isStopped = true;
      destroyAll(open);
    },
  };
}
