import { catalogue, type ErrorCode, type ErrorParameters } from './catalogue.ts';
import type { CatalogueEntry, RetryClass } from './entry.ts';

/** A place in a user's file; line and column count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One finding about what the user wrote. Errors stop a plan; warnings and notes are shown with it. */
export interface Problem {
  readonly severity: 'error' | 'warning' | 'note';
  readonly code: ErrorCode;
  readonly message: string;
  readonly help: string;
  readonly position?: SourcePosition;
  /** `environment/kind/name` when the finding is about one resource. */
  readonly address?: string;
}

/** An error of the catalogue. The only error class that crosses a folder's boundary. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly retry: RetryClass;
  readonly help: string;
  /** All findings, when one error stands for several (an invalid stack, a plan that cannot be made). */
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, row: { message: string; help: string }, options: { cause?: unknown; problems?: readonly Problem[] }) {
    super(row.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.status = catalogue[code].status;
    this.retry = catalogue[code].retry;
    this.help = row.help;
    this.problems = options.problems ?? [];
  }
}

/** Makes the error `code` of the catalogue. `throw sluiceError('unknown_service', { name })`. */
export function sluiceError<Code extends ErrorCode>(
  code: Code,
  parameters: ErrorParameters<Code>,
  options: { cause?: unknown; problems?: readonly Problem[] } = {},
): SluiceError {
  return new SluiceError(code, render(code, parameters), options);
}

/** Makes a finding from the same catalogue. */
export function problem<Code extends ErrorCode>(
  code: Code,
  parameters: ErrorParameters<Code>,
  where: { severity?: Problem['severity']; position?: SourcePosition; address?: string } = {},
): Problem {
  return {
    severity: where.severity ?? 'error',
    code,
    ...render(code, parameters),
    ...(where.position && { position: where.position }),
    ...(where.address && { address: where.address }),
  };
}

/** Any thrown value as a SluiceError; what is not one becomes `internal_error` with the original as its cause. */
export function toSluiceError(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return sluiceError('internal_error', { reason }, { cause: thrown });
}

function render<Code extends ErrorCode>(code: Code, parameters: ErrorParameters<Code>): { message: string; help: string } {
  const row = catalogue[code] as CatalogueEntry<unknown>;
  return { message: row.message(parameters), help: row.help(parameters) };
}
