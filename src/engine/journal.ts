import type { SluiceError } from '../errors/sluice-error.ts';
import type { Address } from '../stack/stack.ts';
import type { Write } from '../store/store.ts';
import type { Json } from '../digest/json.ts';
import { type ReportedError, reportError } from './run-report.ts';

/**
 * One line of the store's log `journal`. An intent is written before a provider is called, its outcome after; an intent without an
 * outcome is an operation that a crash cut short, and the resource's state still says so.
 */
export interface JournalEntry {
  readonly operation: string;
  readonly run: string;
  readonly address: Address;
  readonly action: 'create' | 'update' | 'delete' | 'adopt' | 'move' | 'refresh' | 'forget';
  readonly phase: 'intent' | 'outcome';
  readonly ok?: boolean;
  readonly error?: ReportedError;
  readonly time: string;
}

export function appendJournal(entry: JournalEntry): Write {
  return { operation: 'append', log: 'journal', value: entry as unknown as Json };
}

export function intentOf(entry: Omit<JournalEntry, 'phase' | 'ok' | 'error'>): JournalEntry {
  return { ...entry, phase: 'intent' };
}

export function outcomeOf(entry: Omit<JournalEntry, 'phase' | 'ok' | 'error'>, error?: SluiceError): JournalEntry {
  return { ...entry, phase: 'outcome', ok: error === undefined, ...(error && { error: reportError(error) }) };
}
