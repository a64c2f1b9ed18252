/** Who lives in which slot. A release keeps its slot for as long as the table has it, or one of its servers still has work. */
export interface SlotPool {
  /** The slot of a release, taken for it when it has none; the pool grows when none is free. */
  slotOf(release: string): string;
  /** Frees the slots of releases that are not among `wanted` and whose slot is not `isOccupied`. */
  release(wanted: ReadonlySet<string>, isOccupied: (slot: string) => boolean): void;
  names(): ReadonlySet<string>;
}

const spareSlots = 32;

/** The pool is kept larger than what is asked for, since only a new HAProxy process has the slots that were added. */
export function createSlotPool(): SlotPool {
  const names = new Set<string>();
  const free: string[] = [];
  const taken = new Map<string, string>();

  const grow = (count: number): void => {
    for (let index = 0; index < count; index += 1) {
      const name = `s${names.size}`;
      names.add(name);
      free.push(name);
    }
  };
  grow(spareSlots);

  return {
    slotOf: (release) => {
      const existing = taken.get(release);
      if (existing !== undefined) return existing;
      if (free.length === 0) grow(names.size);
      const slot = free.shift() as string;
      taken.set(release, slot);
      return slot;
    },
    release: (wanted, isOccupied) => {
      for (const [release, slot] of taken) {
        if (wanted.has(release) || isOccupied(slot)) continue;
        taken.delete(release);
        free.push(slot);
      }
    },
    names: () => new Set(names),
  };
}
