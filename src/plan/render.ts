import pc from 'picocolors';
import type { Json } from '../digest/json.ts';
import type { Problem } from '../errors/sluice-error.ts';
import type { Address } from '../stack/stack.ts';
import { localAddress } from './decide.ts';
import { maskField } from './mask.ts';
import { type Action, type Change, type FieldChange, hasChanges, type Plan, type Replacement, summarize } from './plan.ts';

type Colors = ReturnType<typeof pc.createColors>;

const symbols: Readonly<Record<Action, string>> = {
  create: '  +',
  adopt: '  &',
  update: '  ~',
  move: '  >',
  replace: '-/+',
  delete: '  -',
  refresh: '  =',
  none: '   ',
};
const verbs: Readonly<Record<Action, string>> = {
  create: 'create',
  adopt: 'adopt',
  update: 'update in place',
  move: 'move',
  replace: 'replace',
  delete: 'delete',
  refresh: 'record as found',
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
  const limits = renderScope(plan);
  const sections = [
    colors.bold(title),
    ...(limits === '' ? [] : [limits]),
    ...changes.map((change) => renderChange(change, changed, colors)),
    ...(problems.length > 0 ? [problems.map((problem) => renderProblem(problem, folder, colors)).join('\n')] : []),
    [...renderDangers(changes, colors), colors.bold(renderSummary(plan))].join('\n'),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** What a limited plan takes in and leaves alone; empty for one without limits. */
function renderScope({ scope, changes }: Plan): string {
  if (scope === undefined) return '';
  const { targets, excludes, alsoIncluded, alsoExcluded } = scope;
  const left = changes.filter(({ outOfScope }) => outOfScope === true).length;
  return [
    ...(targets.length > 0 ? [`Only ${listed(targets)}${alsoIncluded.length > 0 ? `, with ${listed(alsoIncluded)}` : ''}.`] : []),
    ...(excludes.length > 0 ? [`Without ${listed(excludes)}${alsoExcluded.length > 0 ? `, nor ${listed(alsoExcluded)}` : ''}.`] : []),
    `${left} left as ${left === 1 ? 'it is' : 'they are'}.`,
  ].join(' ');
}

/** Which changes may hurt, and which are noticed while they are made. */
function renderDangers(changes: readonly Change[], colors: Colors): readonly string[] {
  const high = changes.filter(({ risk }) => risk === 'high');
  const releases = high.filter(({ kind }) => kind === 'service').map(({ address }) => address);
  const losses = high.filter(({ kind }) => kind !== 'service').map(({ address }) => address);
  const medium = changes.filter(({ risk }) => risk === 'medium').map(({ address }) => address);
  const down = changes.filter(({ downtime }) => downtime).map(({ address }) => address);
  const refused = changes.filter(({ rollout }) => rollout?.refused !== undefined).map(({ address }) => address);
  return [
    ...(refused.length > 0 ? [colors.red(`An apply fails at ${listed(refused)}, as it is.`)] : []),
    ...(losses.length > 0 ? [colors.red(`High risk, data is lost or may be: ${listed(losses)}.`)] : []),
    ...(releases.length > 0 ? [colors.red(`High risk: ${listed(releases)}.`)] : []),
    ...(medium.length > 0 ? [colors.yellow(`Medium risk: ${listed(medium)}.`)] : []),
    ...(down.length > 0 ? [colors.yellow(`Downtime: ${listed(down)}.`)] : []),
  ];
}

function listed(addresses: readonly Address[]): string {
  const more = addresses.length > 5 ? ` and ${addresses.length - 5} more` : '';
  return `${addresses.slice(0, 5).map(localAddress).join(', ')}${more}`;
}

/** `Plan: 3 to create, 1 to update, 0 to replace, 0 to delete, 4 unchanged.` (rarer actions only where there are any) or a sentence that starts with `No changes.` */
function renderSummary(plan: Plan): string {
  const { create, adopt, update, move, replace, delete: remove, refresh, none } = summarize(plan);
  if (!hasChanges(plan)) {
    if (plan.mode === 'destroy') return 'No changes. Nothing is left to destroy.';
    if (plan.scope !== undefined) return 'No changes within the limits of this plan.';
    if (plan.refreshOnly === true) return 'No changes to what is recorded.';
    const resources = none === 1 ? 'The 1 resource is' : `All ${none} resources are`;
    return none === 0 ? 'No changes. The stack declares no resources.' : `No changes. ${resources} as the stack declares.`;
  }
  if (refresh > 0) return `Plan: ${refresh} to record as found, ${none} as recorded. Nothing real changes.`;
  const rare = [...(adopt > 0 ? [`${adopt} to adopt`] : []), ...(move > 0 ? [`${move} to move`] : [])].map((part) => `${part}, `).join('');
  return `Plan: ${create} to create, ${update} to update, ${replace} to replace, ${remove} to delete, ${rare}${none} unchanged.`;
}

function renderChange(change: Change, changed: ReadonlySet<string | undefined>, colors: Colors): string {
  const paint = painter(change.action, colors);
  const moved = change.from === undefined || change.action === 'move' ? '' : `was ${localAddress(change.from)}`;
  const why = [moved, change.reason === 'new' ? '' : change.reason].filter((part) => part !== '').join('; ');
  const reason = why === '' ? '' : colors.dim(` (${escapeControls(why)})`);
  const warnings = [...(change.downtime ? ['downtime'] : []), ...(change.risk === 'high' ? ['high risk'] : [])];
  const warning = warnings.length === 0 ? '' : ` ${colors.yellow(`! ${warnings.join(', ')}`)}`;
  const waits = change.after.filter((address) => changed.has(address));
  const order = waits.length === 0 ? '' : colors.dim(`  after ${listed(waits)}`);
  const symbol = change.replacement?.order === 'create_first' ? '+/-' : symbols[change.action];
  const how = change.replacement === undefined ? [] : [`        ${colors.dim(renderReplacement(change.replacement))}`];
  const way = change.rollout === undefined ? [] : renderRollout(change.rollout).map((line) => `        ${colors.dim(line)}`);
  const verb = change.rollout?.refused === undefined ? verbs[change.action] : 'is refused';
  const head = `${paint(symbol)} ${colors.bold(`${change.kind}/${change.name}`)}  ${paint(verb)}${reason}${warning}${order}`;
  const fields = change.fields.filter(({ path, origin }) => path !== 'name' && (change.action !== 'create' || origin === 'stack'));
  const width = Math.max(0, ...fields.map(({ path }) => path.length));
  return [head, ...how, ...fields.map((field) => `        ${renderField(change, field, width, colors)}`), ...way].join('\n');
}

function renderRollout({ strategy, because, way, refused, cost }: NonNullable<Change['rollout']>): readonly string[] {
  if (refused !== undefined) return [escapeControls(`no rollout: ${refused}`)];
  const lines = [because === undefined ? `rollout by ${strategy}` : `rollout, chosen: ${because}`, `  ${way}`, `  costs ${cost.words}`];
  return lines.map(escapeControls);
}

function renderReplacement({ order, because = '', turns = [], staysFor = [] }: Replacement): string {
  if (order === 'delete_first') return escapeControls(`delete, create: downtime (${because})`);
  const turning = turns.length === 0 ? '' : `, turn ${listed(turns)}`;
  return `create new${turning}, ${staysFor.length === 0 ? 'delete old' : `keep old until ${listed(staysFor)} turned`}`;
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

function originNotes({ origin, because }: FieldChange, action: Action): readonly string[] {
  if (action === 'create' || origin === 'stack' || origin === 'default' || origin === 'content') return [];
  return [origin === 'drift' ? escapeControls(because ?? 'changed outside') : 'value known after apply'];
}

function painter(action: Action, colors: Colors): (text: string) => string {
  if (action === 'create' || action === 'adopt') return colors.green;
  if (action === 'update' || action === 'move' || action === 'refresh') return colors.yellow;
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
