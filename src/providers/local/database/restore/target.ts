import { sluiceError } from '../../../../errors/sluice-error.ts';

/** A moment to go back to, exact to the microsecond. */
export interface Moment {
  /** As PostgreSQL reads it, in UTC. */
  readonly text: string;
  /** Milliseconds since the epoch, cut off. */
  readonly time: number;
}

const rfc3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?([Zz]|[+-]\d\d:\d\d)$/;

/** Reads a time of RFC 3339, such as `2026-11-22T10:00:00Z`. What is committed exactly then is part of the result. */
export function parseMoment(given: string): Moment {
  const [, date, clock, fraction = '', zone] = rfc3339.exec(given) ?? [];
  const seconds = Date.parse(`${date ?? ''}T${clock ?? ''}${zone?.toUpperCase() ?? ''}`);
  if (Number.isNaN(seconds)) throw sluiceError('database_time_unreadable', { given });
  const micros = fraction.padEnd(6, '0');
  return {
    time: seconds + Number(micros.slice(0, 3)),
    text: `${new Date(seconds).toISOString().slice(0, 19).replace('T', ' ')}.${micros}+00`,
  };
}

export function momentAt(time: number): Moment {
  return parseMoment(new Date(time).toISOString());
}
