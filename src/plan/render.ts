import pc from 'picocolors';
import type { Json } from '../digest/json.ts';
import type { Problem } from '../errors/sluice-error.ts';
import { maskField } from './mask.ts';
import { type Action, type Change, type FieldChange, hasChanges, type Plan, summarize } from './plan.ts';

type Colors = ReturnType<typeof pc.createColors>;

const symbols: Readonly<Record<Action, string>> = { create: '  +', update: '  ~', replace: '-/+', delete: '  -', none: '   ' };
const verbs: Readonly<Record<Action, string>> = {
  create: 'create',
  update: 'update in place',
  replace: 'replace',
  delete: 'delete',
  none: 'unchanged',
};
const longestValue = 72;

export interface RenderOptions {
  readonly color: boolean;
  /** Folder, with a closing separator, below which files are named relative to it. */
  readonly folder?: string;
}

/**
 * A plan as text for a terminal, ending with a newline. Values are quoted as JSON, so nothing in a stack can steer the terminal. Shows
 * what differs and what is worth knowing about it: of a new resource what the stack says, and no notes on resources that stay as they are.
 */
export function renderPlan(plan: Plan, { color, folder }: RenderOptions): string {
  const colors = pc.createColors(color);
  const title = plan.mode === 'destroy' ? `Destroying the environment ${plan.environment}` : `Environment ${plan.environment}`;
  const changes = plan.changes.filter(({ action }) => action !== 'none');
  const changed = new Set<string | undefined>(changes.map(({ address }) => address));
  const problems = plan.problems.filter(({ severity, address }) => severity !== 'note' || address === undefined || changed.has(address));
  const sections = [
    colors.bold(title),
    ...changes.map((change) => renderChange(change, colors)),
    ...(problems.length > 0 ? [problems.map((problem) => renderProblem(problem, folder, colors)).join('\n')] : []),
    colors.bold(renderSummary(plan)),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** `Plan: 3 to create, 1 to update, 0 to replace, 0 to delete, 4 unchanged.` or a sentence that starts with `No changes.` */
function renderSummary(plan: Plan): string {
  const { create, update, replace, delete: remove, none } = summarize(plan);
  if (!hasChanges(plan)) {
    if (plan.mode === 'destroy') return 'No changes. Nothing is left to destroy.';
    const resources = none === 1 ? 'The 1 resource is' : `All ${none} resources are`;
    return none === 0 ? 'No changes. The stack declares no resources.' : `No changes. ${resources} as the stack declares.`;
  }
  return `Plan: ${create} to create, ${update} to update, ${replace} to replace, ${remove} to delete, ${none} unchanged.`;
}

function renderChange(change: Change, colors: Colors): string {
  const paint = painter(change.action, colors);
  const reason = change.reason === '' || change.reason === 'new' ? '' : colors.dim(` (${change.reason})`);
  const warnings = [...(change.downtime ? ['downtime'] : []), ...(change.risk === 'high' ? ['high risk'] : [])];
  const warning = warnings.length === 0 ? '' : ` ${colors.yellow(`! ${warnings.join(', ')}`)}`;
  const head = `${paint(symbols[change.action])} ${colors.bold(`${change.kind}/${change.name}`)}  ${paint(verbs[change.action])}${reason}${warning}`;
  const fields = change.fields.filter(({ path, origin }) => path !== 'name' && (change.action !== 'create' || origin === 'stack'));
  const width = Math.max(0, ...fields.map(({ path }) => path.length));
  return [head, ...fields.map((field) => `        ${renderField(change, field, width, colors)}`)].join('\n');
}

function renderField(change: Change, field: FieldChange, width: number, colors: Colors): string {
  const [before, after] = [field.before, field.after].map((value) =>
    value === undefined ? undefined : renderValue(maskField(change.kind, field.path, value)),
  );
  const notes = [...originNotes(field, change.action), ...(field.forcesReplacement ? [colors.red('forces replacement')] : [])];
  const note = notes.length === 0 ? '' : colors.dim(`  # ${notes.join(', ')}`);
  return `${field.path.padEnd(width)}  ${renderValues(field, before, after, change.action, colors)}${note}`;
}

function renderValues(field: FieldChange, before: string | undefined, after: string | undefined, action: Action, colors: Colors): string {
  if (field.origin === 'content') return 'content changed';
  if (field.origin === 'dependency') return typeof field.after === 'string' ? escapeControls(field.after) : '';
  if (before === undefined) return action === 'create' ? (after ?? '') : `${colors.green(after ?? '')}  (added)`;
  if (after === undefined) return `${colors.red(before)}  (removed)`;
  return `${colors.red(before)} -> ${colors.green(after)}`;
}

function originNotes({ origin }: FieldChange, action: Action): readonly string[] {
  if (action === 'create' || origin === 'stack' || origin === 'default' || origin === 'content') return [];
  return [origin === 'drift' ? 'changed outside' : 'value known after apply'];
}

function painter(action: Action, colors: Colors): (text: string) => string {
  if (action === 'create') return colors.green;
  if (action === 'update') return colors.yellow;
  return action === 'none' ? colors.dim : colors.red;
}

function renderValue(value: Json): string {
  const text = value === '(secret)' ? value : escapeControls(JSON.stringify(value));
  return text.length <= longestValue ? text : `${text.slice(0, longestValue)}…`;
}

/** JSON leaves DEL, the C1 controls and bidirectional overrides as they are; a terminal obeys them. */
function escapeControls(text: string): string {
  return text.replaceAll(/[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function renderProblem({ severity, message, help, position, address }: Problem, folder: string | undefined, colors: Colors): string {
  const paint = { error: colors.red, warning: colors.yellow, note: colors.cyan }[severity];
  const file = folder !== undefined && position?.file.startsWith(folder) ? position.file.slice(folder.length) : position?.file;
  const place = position ? `${file}:${position.line}:${position.column} ` : '';
  const about = position === undefined && address !== undefined && !message.includes(address) ? `${address}: ` : '';
  return `${paint(severity)} ${colors.dim(place)}${about}${escapeControls(message)}${help === '' ? '' : `\n  ${colors.dim(help)}`}`;
}
