
import type { Engine, Front } from './engine.ts';
import type { Side } from './exchange/admit.ts';
import { ClientConnection, type ConnectionHome } from './front/client-connection.ts';
import { refusal } from './answer.ts';
import { refusalText } from './front/answer-text.ts';

/** When there is no room, so many idle connections are closed at a time: looking for them is not done for every one that comes. */
const closedAtOnce = 64;

/** Speaks HTTP/1.1 on whatever socket it is given, and sends every request on its way. */
export function createFront(engine: Engine, side: Side): Front {
  const connections = new Set<ClientConnection>();
  let isRetired = false;
  const home: ConnectionHome = {
    engine,
    side,
    isRetired: () => isRetired,
    closed: (connection) => {
      connections.delete(connection);
      if (isRetired && connections.size === 0) engine.fronts.delete(front);
    },
  };
  const closeIdle = (atMost: number): number => {
    let closed = 0;
    for (const connection of connections) {
      if (closed === atMost) break;
      if (!connection.isIdle) continue;
      connections.delete(connection);
      connection.destroy();
      closed += 1;
    }
    return closed;
  };
  const front: Front = {
    accept: (socket, options) => {
      if (engine.connectionCount() >= engine.limits.clientConnections && !makeRoom(engine)) {
        socket.on('error', () => {});
        socket.end(refusalText(refusal('gateway_overloaded', {}), undefined, true, engine.date()), 'latin1', () => socket.destroy());
        return;
      }
      connections.add(new ClientConnection(home, socket, options?.isEncrypted === true));
    },
    retire: () => {
      isRetired = true;
      closeIdle(Number.POSITIVE_INFINITY);
      if (connections.size === 0) engine.fronts.delete(front);
    },
    destroy: () => {
      for (const connection of connections) connection.destroy();
    },
    expire: (now) => {
      for (const connection of connections) connection.expire(now);
    },
    closeIdle,
    get connections() {
      return connections.size;
    },
  };
  engine.fronts.add(front);
  return front;
}

/** Idle connections give way to new ones: their clients can connect again, those with a request cannot be asked to. */
function makeRoom(engine: Engine): boolean {
  for (const front of engine.fronts) if (front.closeIdle(closedAtOnce) > 0) return true;
  return false;
}
