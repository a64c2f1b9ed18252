/** Which units have been seen in a window of time. Windows are numbered `floor(wall clock / length)`, alike in every process. */
export interface UnitWindows {
  /** `first` the first time a unit is seen in its window; `lost` when the window is long over or has had its fill, and then the unit is not kept. */
  see(unit: number, window: number): 'first' | 'seen' | 'lost';
}

const smallestTable = 1_024;

/**
 * Two generations: the newest window and the one before, as workers report a moment late. At most `mostUnits` a window (16 bytes each), so
 * that a crowd costs evidence and never memory.
 */
export function createUnitWindows(mostUnits = 262_144): UnitWindows {
  let newest = Number.NEGATIVE_INFINITY;
  let current = createUnitSet(mostUnits);
  let previous = createUnitSet(mostUnits);
  return {
    see: (unit, window) => {
      if (window > newest) {
        previous = window === newest + 1 ? current : createUnitSet(mostUnits);
        current = createUnitSet(mostUnits);
        newest = window;
      }
      if (window < newest - 1) return 'lost';
      return (window === newest ? current : previous).add(unit);
    },
  };
}

interface UnitSet {
  add(unit: number): 'first' | 'seen' | 'lost';
}

/** Open addressing in one array of doubles, doubled when half full: a Set would allocate a number per unit. */
function createUnitSet(mostUnits: number): UnitSet {
  let table = new Float64Array(smallestTable).fill(-1);
  let size = 0;

  const grow = (): void => {
    const wider = new Float64Array(table.length * 2).fill(-1);
    for (const unit of table) if (unit !== -1) wider[slotOf(wider, unit)] = unit;
    table = wider;
  };

  return {
    add: (unit) => {
      const slot = slotOf(table, unit);
      if (table[slot] === unit) return 'seen';
      if (size >= mostUnits) return 'lost';
      table[slot] = unit;
      size += 1;
      if (size * 2 > table.length) grow();
      return 'first';
    },
  };
}

/** Where the unit is or would be. Units are hashes already; the product spreads those that are small numbers. */
function slotOf(slots: Float64Array, unit: number): number {
  let slot = (Math.imul((unit % 0x1_0000_0000) | 0, 0x9e37_79b1) ^ Math.floor(unit / 0x1_0000_0000)) & (slots.length - 1);
  while (slots[slot] !== -1 && slots[slot] !== unit) slot = (slot + 1) & (slots.length - 1);
  return slot;
}
