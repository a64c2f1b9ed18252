import { type MeasuredService, releaseKey } from './counts.ts';

/** Which releases are told of: those of the table, and those that left it less than a while ago. All of them before the first table. */
export interface Retention {
  follow(services: readonly MeasuredService[], now: number): void;
  isKept(key: string, now: number): boolean;
}

export function createRetention(retainMs: number): Retention {
  const leftAt = new Map<string, number>();
  let present: ReadonlySet<string> | undefined;
  return {
    follow: (services, now) => {
      const next = new Set(
        services.flatMap(({ environment, name, backends }) =>
          backends.map(({ release }) => releaseKey({ environment, service: name, release })),
        ),
      );
      for (const key of present ?? []) if (!next.has(key)) leftAt.set(key, now);
      for (const [key, left] of leftAt) if (next.has(key) || now - left >= retainMs) leftAt.delete(key);
      present = next;
    },
    isKept: (key, now) => {
      if (present === undefined || present.has(key)) return true;
      const left = leftAt.get(key);
      return left !== undefined && now - left < retainMs;
    },
  };
}
