import type { NewMessage } from '../outbox.ts';

const time = '2026-01-01T12:00:00.000Z';

/** A question to the hook of a step of the service `agent`. */
export function waitingHook(id: string, url: string, { retries = 1, timeoutMs = 5_000 } = {}): NewMessage {
  const { body, ...message } = waitingMessage('test', 'load');
  if (body.type !== 'rollout.completed') throw new Error('another body was expected');
  const { sequence: _, ...told } = body;
  return {
    ...message,
    id,
    lane: id,
    target: { kind: 'hook', name: 'agent/stage-1/after/load', url, timeoutMs, retries },
    body: { ...told, id, type: 'hook', hook: { name: 'load', when: 'after', round: 1 } },
  };
}

/** A message to a notification, of the service `agent`; messages of one receiver are one lane. */
export function waitingMessage(environment: string, receiver: string, order = 1): NewMessage {
  const id = `msg-${receiver}${String(order).padStart(4, '0')}`;
  const address = `${environment}/service/agent`;
  const rollout = { generation: 2, release: 'r-2', version: '1.1.0', from: 'r-1', strategy: 'canary', startedAt: time };
  return {
    id,
    target: { kind: 'notification', name: receiver },
    environment,
    service: 'agent',
    lane: `${environment}/${receiver}/agent/a1`,
    order,
    createdAt: Date.parse(time),
    body: {
      type: 'rollout.completed',
      id,
      time,
      environment,
      service: 'agent',
      address,
      message: `agent: r-2 is in use (${order})`,
      sequence: order,
      rollout,
    },
  };
}
