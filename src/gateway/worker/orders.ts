import { type BoundSocket, listenForOthers } from '../listening/bound-socket.ts';
import type { RoutingTable } from '../routing-table.ts';
import { applyChange } from '../table/table-change.ts';
import type { Order } from './messages.ts';
import type { Serving } from './serving.ts';

/** Reads what a part of the worker has counted; the result can be cloned. */
export type Collector = () => unknown;

/**
 * Carries out the orders of the main process; the result is the answer. What changes how requests are served happens in the order it was
 * told, a question or a drain waits for nothing. Rejects only by a defect.
 */
export function createOrders(
  serving: Serving,
  collectors: ReadonlyMap<string, Collector>,
): (order: Order, socket: BoundSocket | undefined) => Promise<unknown> {
  let table: RoutingTable | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const carryOut = async (order: Exclude<Order, { kind: 'drain' }>, socket: BoundSocket | undefined): Promise<unknown> => {
    let answer: unknown;
    switch (order.kind) {
      case 'open':
        answer = socket === undefined ? 'it did not arrive' : await serving.open(order.door, socket).then(() => undefined, reasonOf);
        break;
      case 'listen':
        answer = socket === undefined ? 'it did not arrive' : listenForOthers(socket);
        break;
      case 'reserve':
        if (socket !== undefined) serving.reserve(order.address, socket);
        break;
      case 'close':
        serving.close(order.address);
        break;
      case 'table':
        table = applyChange(table, order.change);
        serving.putInForce(table, order.unhealthy);
        break;
      case 'health':
        serving.setHealth(order.changes);
        break;
      case 'collect':
        answer = collectors.get(order.what)?.();
        break;
      case 'shares':
        serving.setShares(order.shares);
        break;
      case 'spent':
        serving.spend(order.spent);
        break;
      case 'hold':
      case 'outlive':
      case 'ping':
        break;
    }
    return answer;
  };

  return (order, socket) => {
    if (order.kind === 'drain') return serving.drain(order.deadlineMs);
    const done = turn.then(() => carryOut(order, socket));
    turn = done.catch(() => {});
    return done;
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message;
}
