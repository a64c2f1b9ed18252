import { Agent } from 'node:http';
import type { Instance } from '../balancing/instance.ts';

/** Keep-alive connections, one pool per instance, so that they can be closed with it. */
export interface Agents {
  of(instance: Instance): Agent;
  /** After a table switch: an instance that drains keeps no idle connection, so that it can end at once when its work is done. */
  settle(): void;
  /** The instance has no work and is gone. */
  forget(instance: Instance): void;
  close(): void;
}

const idleConnections = 256;

export function createAgents(idleMs: number): Agents {
  const agents = new Map<Instance, Agent>();

  return {
    of: (instance) => {
      let agent = agents.get(instance);
      if (agent === undefined) {
        agent = new Agent({ keepAlive: true, maxFreeSockets: idleConnections, scheduling: 'lifo', timeout: idleMs });
        agents.set(instance, agent);
      }
      return agent;
    },
    settle: () => {
      for (const [instance, agent] of agents) {
        agent.maxFreeSockets = instance.state === 'active' ? idleConnections : 0;
        if (instance.state !== 'active') closeIdle(agent);
      }
    },
    forget: (instance) => {
      agents.get(instance)?.destroy();
      agents.delete(instance);
    },
    close: () => {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

function closeIdle(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}
