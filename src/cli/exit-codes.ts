import type { ErrorCode } from '../errors/catalogue.ts';
import type { SluiceError } from '../errors/sluice-error.ts';

/** What the command tells its caller. 64 and 69 follow sysexits.h, 130 the shells. */
export const exitCodes = {
  ok: 0,
  error: 1,
  changes: 2,
  usage: 64,
  unavailable: 69,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodeMeanings: readonly { readonly code: ExitCode; readonly meaning: string }[] = [
  { code: 0, meaning: 'Done. For `plan`: nothing would change.' },
  { code: 1, meaning: 'It did not work; the error on standard error says why and what to do.' },
  { code: 2, meaning: 'Only from `plan` and `--dry-run`: there are changes to apply.' },
  { code: 64, meaning: 'The command line cannot be understood, or a question came up without a terminal and without --yes.' },
  { code: 69, meaning: 'The control plane could not be started or reached, or Node is too old.' },
  { code: 130, meaning: 'Interrupted by Ctrl-C before it was done.' },
];

const codesOfErrors: Readonly<Partial<Record<ErrorCode, ExitCode>>> = {
  usage: exitCodes.usage,
  confirmation_required: exitCodes.usage,
  control_plane_unreachable: exitCodes.unavailable,
  control_plane_did_not_start: exitCodes.unavailable,
  interrupted: exitCodes.interrupted,
};

export function exitCodeOf({ code }: Pick<SluiceError, 'code'>): ExitCode {
  return codesOfErrors[code] ?? exitCodes.error;
}
