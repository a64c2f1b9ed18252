import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** A state of a rollout, on one side of the write that leads into or out of it. */
export interface Moment {
  readonly state: string;
  /**
   * `entered`: right after the write, with nothing of what was decided carried out. `left`: all of it is carried out, and the write that
   * comes next has not been made.
   */
  readonly side: 'entered' | 'left';
}

/** What a control plane that is to be killed knows and leaves behind: a file, as nothing else of it stays. */
export interface Doom {
  /** How often it is still to be killed; below 0 nothing is noted either. */
  readonly left: number;
  readonly sides: readonly Moment['side'][];
  /** Moments it has been killed at. */
  readonly killed: readonly string[];
  /** States it has been in. */
  readonly seen: readonly string[];
}

export const momentName = ({ state, side }: Moment): string => `${side} ${state}`;

export function readDoom(file: string): Doom {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Doom) : { left: 0, sides: [], killed: [], seen: [] };
}

/** At once: the next thing that happens may be a signal 9. */
export function writeDoom(file: string, doom: Doom): void {
  writeFileSync(file, JSON.stringify(doom));
}
