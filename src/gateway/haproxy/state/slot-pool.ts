/** Who lives in which slot. A release keeps its slot for as long as the table has it, or one of its servers still has work. */
export interface SlotPool {
  /** The slot of a release, taken for it when it has none; the pool grows when none of its kind is free. */
  slotOf(release: string, queueMs: number | undefined): string;
  /** Frees the slots of releases that are not among `wanted` and whose slot is not `isOccupied`. */
  release(wanted: ReadonlySet<string>, isOccupied: (slot: string) => boolean): void;
  slots(): ReadonlyMap<string, { readonly queueMs: number | undefined }>;
}

const spareSlots = 32;

/** The pool is kept larger than what is asked for, since only a new HAProxy process has the slots that were added. */
export function createSlotPool(): SlotPool {
  const slots = new Map<string, { queueMs: number | undefined }>();
  const free: string[] = [];
  const taken = new Map<string, { slot: string; queueMs: number | undefined }>();

  const grow = (queueMs: number | undefined, count: number): void => {
    for (let index = 0; index < count; index += 1) {
      const name = `s${slots.size}`;
      slots.set(name, { queueMs });
      free.push(name);
    }
  };
  grow(undefined, spareSlots);

  const takeFree = (queueMs: number | undefined): string | undefined => {
    const index = free.findIndex((slot) => slots.get(slot)?.queueMs === queueMs);
    return index === -1 ? undefined : free.splice(index, 1)[0];
  };

  return {
    slotOf: (release, queueMs) => {
      const owner = ownerOf(release, queueMs);
      const existing = taken.get(owner);
      if (existing) return existing.slot;
      let slot = takeFree(queueMs);
      if (slot === undefined) {
        grow(queueMs, queueMs === undefined ? slots.size : 4);
        slot = takeFree(queueMs) as string;
      }
      taken.set(owner, { slot, queueMs });
      return slot;
    },
    release: (wanted, isOccupied) => {
      for (const [owner, { slot }] of taken) {
        if (wanted.has(owner) || isOccupied(slot)) continue;
        taken.delete(owner);
        free.push(slot);
      }
    },
    slots: () => new Map(slots),
  };
}

/** By what a slot is taken: a release whose limits change moves to another one. */
export function ownerOf(release: string, queueMs: number | undefined): string {
  return `${release}#${queueMs ?? ''}`;
}
