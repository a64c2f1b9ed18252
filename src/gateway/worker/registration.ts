import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from '../../effects/processes.ts';
import type { CrewMember } from '../crew-register.ts';

/** What other processes can know of a worker without a channel to it: its file in the folder `crew`. */
export interface Registration {
  /** False when the folder is gone: then nobody wants this gateway any more. */
  write(state: CrewMember['state'], report: CrewMember['report']): boolean;
  remove(): void;
}

export function createRegistration(crewFolder: string, self: ProcessIdentity, mainPid: number): Registration {
  const path = join(crewFolder, `${self.pid}.json`);
  let isFirst = true;
  return {
    write: (state, report) => {
      const { pid, startTime } = self;
      const member: CrewMember = { pid, startTime, mainPid, state, report };
      try {
        if (isFirst) mkdirSync(crewFolder, { recursive: true, mode: 0o700 });
        isFirst = false;
        writeFileSync(`${path}.next`, JSON.stringify(member), { mode: 0o600 });
        renameSync(`${path}.next`, path);
        return true;
      } catch {
        return false;
      }
    },
    remove: () => rmSync(path, { force: true }),
  };
}
