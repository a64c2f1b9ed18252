import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/**
 * What a stream of change events is asked for with. An EventSource of a browser sends no headers, so its URL has to say who asks; a key
 * has no place in a URL. A ticket opens nothing but the news that something has changed, and ends with the key or service it was given to.
 */
export interface StreamTickets {
  issue(holder: TicketHolder): string;
  /** Undefined for one that was not issued here. Whether its holder still may is for the caller to find out. */
  read(ticket: string): TicketHolder | undefined;
}

/** A key by its id, or a service by its address. */
interface TicketHolder {
  readonly environment: string;
  readonly holder: string;
}

/** Every answer with all flags names a ticket: those of the holders who asked last are remembered. */
const ticketsKept = 1_000;

const contents = z.tuple([z.string(), z.string()]);

/** `vault.fingerprint` is a keyed digest whose key nobody else has. */
export function createStreamTickets(vault: { fingerprint(text: string): string }): StreamTickets {
  const signature = (text: string): string =>
    Buffer.from(vault.fingerprint(`sluice flag stream\n${text}`).slice('sha256:'.length), 'hex').toString('base64url');

  const issued = new Map<string, string>();

  return {
    issue: ({ environment, holder }) => {
      const text = Buffer.from(JSON.stringify([environment, holder])).toString('base64url');
      const known = issued.get(text);
      if (known !== undefined) return known;
      const ticket = `${text}.${signature(text)}`;
      if (issued.size >= ticketsKept) issued.clear();
      issued.set(text, ticket);
      return ticket;
    },
    read: (ticket) => {
      const [, text = '', given = ''] = /^([\w-]{1,512})\.([\w-]{43})$/.exec(ticket) ?? [];
      if (text === '') return undefined;
      const [wanted, shown] = [Buffer.from(signature(text)), Buffer.from(given)];
      if (wanted.length !== shown.length || !timingSafeEqual(wanted, shown)) return undefined;
      const [environment, holder] = contents.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
      return { environment, holder };
    },
  };
}
