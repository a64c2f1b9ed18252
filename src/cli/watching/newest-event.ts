import type { Client } from '../../api/client.ts';

/** Sequence of the newest event. The log can only be read forward, so a filter that nothing matches walks through it in great steps. */
export async function newestEvent(client: Pick<Client, 'listEvents'>): Promise<number> {
  for (let after = 0; ; ) {
    const { last } = await client.listEvents({ after, address: '-', limit: 1 });
    if (last <= after) return last;
    after = last;
  }
}
