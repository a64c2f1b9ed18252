import type { ResourceView } from '../../api/schemas/resource.ts';
import type { Column } from '../terminal/table.ts';

/** For tables in which at least one resource has something to tell. */
export const conditionColumn: Column = { title: 'condition', flexible: true, below: true, paint: (text, colors) => colors.yellow(text) };

export function conditionCell({ conditions = [] }: ResourceView): string {
  return conditions.map(({ message }) => message).join('; ');
}
