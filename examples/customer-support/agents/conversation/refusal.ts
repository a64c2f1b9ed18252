/** An error the caller is told about: status, a stable code, and a message that says what to do. */
export interface Refusal extends Error {
  readonly status: number;
  readonly code: string;
}

export function refusal(status: number, code: string, message: string): Refusal {
  return Object.assign(new Error(message), { name: 'Refusal', status, code });
}

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && error.name === 'Refusal';
}
