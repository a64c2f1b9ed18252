import { chmod, rm } from 'node:fs/promises';
import { bindRelay } from '../listening/relay-socket.ts';
import type { BoundSocket } from '../listening/bound-socket.ts';
import type { Crew } from '../worker/crew.ts';
import { relayedDoor } from '../worker/door.ts';
import type { OpenBind } from './generation.ts';

/** Doors of the embedded engine for what HAProxy passes on to it: one unix socket for each public listener. */
export interface Relays {
  /** Has the engine accept for all of these. */
  open(binds: readonly OpenBind[]): Promise<void>;
  /** Closes all others. */
  keep(binds: readonly OpenBind[]): Promise<void>;
}

export function createRelays(crew: Crew): Relays {
  const open = new Map<string, BoundSocket>();
  return {
    open: async (binds) => {
      for (const { relay, host, port } of binds) {
        if (open.has(relay)) continue;
        const socket = bindRelay(relay);
        open.set(relay, socket);
        // Its folder keeps it from others; HAProxy is not of our user when it was started by root.
        await chmod(relay, 0o666);
        await crew.open(relayedDoor(relay, { host, port }), socket);
      }
    },
    keep: async (binds) => {
      const kept = new Set(binds.map(({ relay }) => relay));
      for (const [relay, socket] of open) {
        if (kept.has(relay)) continue;
        open.delete(relay);
        await crew.close(relay);
        socket.close();
        await rm(relay, { force: true });
      }
    },
  };
}
