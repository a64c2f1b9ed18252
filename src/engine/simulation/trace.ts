/** What happened in a history, line by line, and one digest over all of it: equal digests mean that the same things happened. */
export interface Trace {
  add(line: string): void;
  /** 16 hex digits. */
  digest(): string;
  /** The lines, when they are kept. */
  readonly lines: readonly string[];
}

/** The digest is two lanes of FNV-1a (Fowler, Noll, Vo; 32 bits) with different starts: cheap, and only ever compared with its like. */
export function createTrace(keepsLines: boolean): Trace {
  const lines: string[] = [];
  let [one, two] = [0x81_1c_9d_c5, 0x1b_87_35_93];
  return {
    add: (line) => {
      if (keepsLines) lines.push(line);
      for (let index = 0; index < line.length; index += 1) {
        const unit = line.charCodeAt(index);
        one = Math.imul(one ^ unit, 0x01_00_01_93);
        two = Math.imul(two ^ (unit + 0x9e), 0x01_00_01_93);
      }
      one = Math.imul(one ^ 10, 0x01_00_01_93);
    },
    digest: () => [one, two].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join(''),
    lines,
  };
}
