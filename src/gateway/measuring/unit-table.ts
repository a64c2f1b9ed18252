/** What is remembered of units, in a few bytes each. */
export interface UnitTable {
  /** Its row, made when it has none yet; -1 when there is no room for another one. */
  rowOf(unit: number): number;
  /** Valid until the next `rowOf`. */
  readonly rows: UnitRows;
  clear(): void;
}

/** By row. Of a new unit: -1, 0 and -1. */
interface UnitRows {
  /** A number of the owner's. */
  readonly place: Int32Array;
  /** Bits of the owner's. */
  readonly marks: Uint32Array;
  /** Milliseconds of the longest outcome. */
  readonly slowest: Float64Array;
}

interface Rows extends UnitRows {
  readonly units: Float64Array;
}

const fewestRows = 1_024;

/** Open addressing in arrays of numbers, doubled when half full: a Map would allocate an object per unit. 48 bytes a unit at most. */
export function createUnitTable(mostUnits: number): UnitTable {
  let rows = emptyRows(fewestRows);
  let size = 0;

  const grow = (): void => {
    const before = rows;
    rows = emptyRows(before.units.length * 2);
    for (const [from, unit] of before.units.entries()) {
      if (unit === -1) continue;
      const to = rowIn(rows.units, unit);
      rows.units[to] = unit;
      rows.place[to] = before.place[from] as number;
      rows.marks[to] = before.marks[from] as number;
      rows.slowest[to] = before.slowest[from] as number;
    }
  };

  return {
    rowOf: (unit) => {
      const row = rowIn(rows.units, unit);
      if (rows.units[row] === unit) return row;
      if (size >= mostUnits) return -1;
      size += 1;
      rows.units[row] = unit;
      if (size * 2 <= rows.units.length) return row;
      grow();
      return rowIn(rows.units, unit);
    },
    get rows() {
      return rows;
    },
    clear: () => {
      rows = emptyRows(fewestRows);
      size = 0;
    },
  };
}

function emptyRows(length: number): Rows {
  return {
    units: new Float64Array(length).fill(-1),
    place: new Int32Array(length).fill(-1),
    marks: new Uint32Array(length),
    slowest: new Float64Array(length).fill(-1),
  };
}

/** Where the unit is or would be. Units are hashes already; the product spreads those that are small numbers. */
function rowIn(units: Float64Array, unit: number): number {
  let row = (Math.imul((unit % 0x1_0000_0000) | 0, 0x9e37_79b1) ^ Math.floor(unit / 0x1_0000_0000)) & (units.length - 1);
  while (units[row] !== -1 && units[row] !== unit) row = (row + 1) & (units.length - 1);
  return row;
}
