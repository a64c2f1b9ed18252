import { isJsonObject, type Json, jsonEquals, type JsonObject } from '../digest/json.ts';
import { type Problem, problem, sluiceError } from '../errors/sluice-error.ts';
import type { PolicyCondition, PolicyMatch, PolicyRule } from '../stack/policy/rule.ts';
import type { Address, ResolvedBlock } from '../stack/stack.ts';
import type { Change } from './plan.ts';

/** A change with what there is to know about its resource. */
export interface JudgedChange {
  readonly change: Pick<Change, 'address' | 'kind' | 'name' | 'action' | 'risk' | 'downtime'>;
  /** As the stack declares it, or as it is recorded when it goes. */
  readonly fields: JsonObject;
  readonly block?: ResolvedBlock | undefined;
}

/**
 * What the rules say about a plan, linear in changes times rules. About what stays as it is, a denial only warns: a new rule must not
 * stand in the way of other changes. Each finding stands at the field it is about and names the rule with its place.
 */
export function judge(environment: string, rules: readonly PolicyRule[], changes: readonly JudgedChange[]): readonly Problem[] {
  return rules.flatMap((rule) => changes.flatMap((judged) => judgeOne(environment, rule, judged) ?? []));
}

/** Throws `policy_denied` with everything that was found when one of the findings is an error. */
export function refuseDenied(findings: readonly Problem[]): void {
  const count = findings.filter(({ severity }) => severity === 'error').length;
  if (count > 0) throw sluiceError('policy_denied', { count }, { problems: findings });
}

function judgeOne(environment: string, rule: PolicyRule, { change, fields, block }: JudgedChange): Problem | undefined {
  if (!fits(rule.match, environment, change) || !rule.when.every((condition) => holds(condition, fields))) return undefined;
  const [condition] = rule.when;
  const position = block === undefined ? rule.position : condition ? block.positionOf(condition.field) : block.position;
  const { file, line, column } = rule.position;
  const parameters = { rule: rule.name, message: rule.message, place: `${file}:${line}:${column}`, address: change.address };
  const denies = rule.effect === 'deny' && change.action !== 'none';
  return problem('policy_finding', parameters, { severity: denies ? 'error' : 'warning', position, address: change.address });
}

function fits(match: PolicyMatch, environment: string, { kind, name, action, risk, downtime }: JudgedChange['change']): boolean {
  if (action === 'refresh') return false;
  if (!(match.action?.includes(action) ?? action !== 'delete')) return false;
  if (match.kind && !match.kind.includes(kind)) return false;
  if (match.name && !match.name.some((glob) => matchesGlob(glob, name))) return false;
  if (match.environment && !match.environment.some((glob) => matchesGlob(glob, environment))) return false;
  if (match.risk && !match.risk.some((wanted) => wanted === risk)) return false;
  return match.downtime === undefined || match.downtime === downtime;
}

/** A path that leads to nothing is judged as one value that is absent. */
function holds(condition: PolicyCondition, fields: JsonObject): boolean {
  const values = valuesAt(fields, condition.field.split('.'));
  return (values.length === 0 ? [undefined] : values).some((value) => compares(condition, value));
}

function compares(condition: PolicyCondition, value: Json | undefined): boolean {
  const { equals, not, in: among, not_in: outside, below, above, like, unlike, exists } = condition;
  if (exists !== undefined) return (value !== undefined && value !== null) === exists;
  if (equals !== undefined) return jsonEquals(value, equals);
  if (not !== undefined) return !jsonEquals(value, not);
  if (among !== undefined) return among.some((candidate) => jsonEquals(value, candidate));
  if (outside !== undefined) return !outside.some((candidate) => jsonEquals(value, candidate));
  if (below !== undefined) return typeof value === 'number' && value < below;
  if (above !== undefined) return typeof value === 'number' && value > above;
  if (like !== undefined) return typeof value === 'string' && matchesGlob(like, value);
  return unlike !== undefined && !(typeof value === 'string' && matchesGlob(unlike, value));
}

function valuesAt(value: Json, steps: readonly string[]): readonly Json[] {
  const [step, ...rest] = steps;
  if (step === undefined) return [value];
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    const chosen = step === '*' ? items : items.slice(Number(step), Number(step) + 1);
    return chosen.flatMap((item) => valuesAt(item, rest));
  }
  if (!isJsonObject(value)) return [];
  if (step === '*') return Object.values(value).flatMap((member) => valuesAt(member, rest));
  const member = Object.hasOwn(value, step) ? value[step] : undefined;
  return member === undefined ? [] : valuesAt(member, rest);
}

/**
 * Whether `text` fits `glob`, in which `*` stands for any characters. Each piece between stars is taken where it first occurs, which needs
 * no going back.
 */
export function matchesGlob(glob: string, text: string): boolean {
  const pieces = glob.split('*');
  const [first = '', ...others] = pieces;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of others) {
    const found = text.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** A plan's changes with the fields a rule may look at. */
export function judgedChanges(
  changes: readonly Change[],
  blockOf: (address: Address) => ResolvedBlock | undefined,
  recordedFields: (address: Address) => JsonObject | undefined,
): readonly JudgedChange[] {
  return changes.map((change) => {
    const block = blockOf(change.address);
    return { change, fields: block?.fields ?? recordedFields(change.address) ?? {}, block };
  });
}
