/** The streams of changes that are open, by who holds them, and what they entitle to. */
export interface OpenStreams {
  /** A place for one more; undefined when the holder has no more of them. What is given back ends it; ending twice is ending once. */
  open(holder: string): (() => void) | undefined;
  /**
   * Whether a fetch is one that a stream has asked for: for the newest revision each holder has one for each of its streams. Those must not
   * be refused for what else the key has asked, since a client asks once after a change and then waits for the next.
   */
  takeFetch(holder: string, revision: number): boolean;
}

interface Held {
  streams: number;
  revision: number;
  fetches: number;
}

export function createOpenStreams({ perHolder }: { readonly perHolder: number }): OpenStreams {
  const held = new Map<string, Held>();
  return {
    open: (holder) => {
      const known = held.get(holder) ?? { streams: 0, revision: -1, fetches: 0 };
      if (known.streams >= perHolder) return undefined;
      known.streams += 1;
      held.set(holder, known);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        known.streams -= 1;
        if (known.streams === 0) held.delete(holder);
      };
    },
    takeFetch: (holder, revision) => {
      const known = held.get(holder);
      if (known === undefined || revision < known.revision) return false;
      if (revision > known.revision) Object.assign(known, { revision, fetches: 0 });
      if (known.fetches >= known.streams) return false;
      known.fetches += 1;
      return true;
    },
  };
}
