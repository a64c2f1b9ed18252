import { firstFreePort } from '../../../effects/ports.ts';
import type { Random } from '../../../effects/random.ts';
import { SluiceError } from '../../../errors/sluice-error.ts';
import type { ResourceRecord } from '../records.ts';

const attempts = 5;

/**
 * A port for a server that will keep it for life. It lies below the range from which systems give ports to outgoing connections, or such
 * a connection could hold it while the server is suspended. The start is random so that creations at the same time do not meet.
 */
export function lastingPort(host: string, random: Random): Promise<number> {
  return firstFreePort(host, 15_000 + Math.floor(random.next() * 10_000));
}

/**
 * Creates a server, and once more on another port when a program takes the chosen one in the moment before the server has it. Only a
 * first creation may change its port: clients know it afterwards.
 */
export async function withFirstPort<Value>(
  find: () => Promise<ResourceRecord | undefined>,
  create: (before: ResourceRecord | undefined) => Promise<Value>,
): Promise<Value> {
  for (let attempt = 1; ; attempt += 1) {
    const before = await find();
    try {
      return await create(attempt > 1 && before?.phase === 'making' ? withoutPort(before) : before);
    } catch (error) {
      const another = error instanceof SluiceError && error.code === 'port_taken' && before?.phase !== 'made';
      if (!another || attempt === attempts) throw error;
    }
  }
}

function withoutPort(record: ResourceRecord): ResourceRecord {
  const { port: _taken, ...details } = record.details;
  return { ...record, details };
}
