import { existsSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { Json } from '../../digest/json.ts';
import { containedPath } from '../../effects/files.ts';
import { problem } from '../../errors/sluice-error.ts';
import { expectedOf } from '../check/issues.ts';
import { labelPattern } from '../fields/names.ts';
import { fieldNamesAt, schemasAt } from '../kinds/field-schema.ts';
import { createProblemList, type ProblemList } from '../problems.ts';
import { readStackFiles } from '../source/files.ts';
import { positionOfNode, type SourceNode, type SourceText } from '../source/node.ts';
import { parseText } from '../source/parse.ts';
import { placeAt } from '../source/place.ts';
import { shorten } from '../source/tree.ts';
import { kinds, type Loaded } from '../stack.ts';
import { nearestName } from '../suggest.ts';
import { comparisons, policyActions, type PolicyRule } from './rule.ts';

/** Where the rules of a stack lie, from its folder. */
const folder = join('policies', 'plan');
const mostRules = 1_000;

/** One or several, as one writes it. */
function several<Schema extends z.ZodType>(schema: Schema) {
  return z.union([schema.transform((one) => [one]), z.array(schema).min(1, { error: 'a list with at least one entry' })]);
}

const glob = z.string().min(1).max(256);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], { error: 'text, a number, true, false or null' });
const condition = z
  .strictObject({
    field: z.string().regex(/^[A-Za-z0-9_*-]+(\.[A-Za-z0-9_*-]+){0,15}$/, { error: 'a dotted path of a field' }),
    equals: scalar.optional(),
    not: scalar.optional(),
    in: z.array(scalar).min(1).max(1_000).optional(),
    not_in: z.array(scalar).min(1).max(1_000).optional(),
    below: z.number().optional(),
    above: z.number().optional(),
    like: glob.optional(),
    unlike: glob.optional(),
    exists: z.boolean().optional(),
  })
  .refine((value) => comparisons.filter((name) => value[name] !== undefined).length === 1, {
    error: `a field with exactly one of ${comparisons.join(', ')}`,
  });

const rule = z.strictObject({
  name: z.string().regex(labelPattern, { error: 'a name of lower-case letters, digits and dashes' }),
  effect: z.enum(['deny', 'warn']).default('deny'),
  message: z.string().regex(/^[^\p{Cc}]{1,1000}$/u, { error: 'a sentence without control characters, at most 1,000 long' }),
  match: z
    .strictObject({
      kind: several(z.enum(kinds)).optional(),
      name: several(glob).optional(),
      environment: several(glob).optional(),
      action: several(z.enum(policyActions)).optional(),
      risk: several(z.enum(['low', 'medium', 'high'])).optional(),
      downtime: z.boolean().optional(),
    })
    .default({}),
  when: z.array(condition).max(50).default([]),
});

/** The rules in `policies/plan` of a stack's folder; none when there is no such folder. What is wrong with one is reported at its place. */
export async function readPolicyRules(root: string, problems: ProblemList): Promise<readonly PolicyRule[]> {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  if (containedPath(root, folder) === undefined) {
    const position = { file: path, line: 1, column: 1 };
    problems.add(() => problem('path_outside_stack', { field: 'policies', path: folder }, { position }));
    return [];
  }
  if (!(await readdir(path)).some((name) => /^[^.].*\.ya?ml$/.test(name))) return [];
  const files = await readStackFiles(path, problems);
  return (files?.texts ?? []).flatMap((text) => rulesOf(text, problems));
}

/** The rules beside the stack at `path`, a file or a folder. */
export async function loadPolicyRules(path: string): Promise<Loaded<readonly PolicyRule[]>> {
  const problems = createProblemList();
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const value = await readPolicyRules(await realpath(isFolder ? path : dirname(resolve(path))), problems);
  return problems.hasErrors ? { ok: false, problems: problems.sorted() } : { ok: true, value, problems: problems.sorted() };
}

/** The rules of one file: a map with the key `rule`, one or a list. */
export function rulesOf(text: SourceText, problems: ProblemList): readonly PolicyRule[] {
  const file = parseText(text, problems);
  if (!file) return [];
  const refuse = (node: SourceNode, what: string, reason: string): void => {
    const position = positionOfNode(node);
    problems.add(() => problem('policy_invalid', { what, reason }, { position }));
  };
  const found = file.type === 'map' ? file.entries.get('rule')?.value : undefined;
  if (file.type !== 'map' || found === undefined || file.entries.size !== 1) {
    refuse(file, 'This file', "it is a map with the single key 'rule'");
    return [];
  }
  const nodes = found.type === 'list' ? found.items : [found];
  if (nodes.length > mostRules) refuse(found, 'This list', `it has more than ${mostRules} rules`);
  return nodes.slice(0, mostRules).flatMap((node) => readRule(node, refuse, problems));
}

function readRule(
  node: SourceNode,
  refuse: (node: SourceNode, what: string, reason: string) => void,
  problems: ProblemList,
): readonly PolicyRule[] {
  const result = rule.safeParse(plain(node), { error: expectedOf });
  if (!result.success) {
    for (const { path, message, code, ...issue } of result.error.issues.slice(0, 10)) {
      const field = path.map(String).join('.');
      const reason =
        code === 'unrecognized_keys' && 'keys' in issue ? `it has no field '${shorten(issue.keys.join("', '"))}'` : `it must be ${message}`;
      refuse(placeAt(node, path).node, field === '' ? 'This' : `'${shorten(field)}'`, reason);
    }
    return [];
  }
  const { name, effect, message, match, when } = result.data;
  const read = { name, effect, message, match, when, position: positionOfNode(node) } as unknown as PolicyRule;
  return checkFields(read, node, problems) ? [read] : [];
}

/** A rule that names a kind may look only at fields the kind has: a misspelt one would never speak. */
function checkFields({ name, match, when }: PolicyRule, node: SourceNode, problems: ProblemList): boolean {
  let sound = true;
  for (const kind of kinds.filter((candidate) => match.kind?.includes(candidate))) {
    for (const [index, { field }] of when.entries()) {
      const steps = field.split('.');
      if (exists(kind, steps)) continue;
      sound = false;
      const position = positionOfNode(placeAt(node, ['when', index, 'field']).node);
      const nearest = nearestName(steps[0] ?? '', fieldNamesAt(kind, []));
      problems.add(() => problem('policy_unknown_field', { rule: name, kind, field, nearest }, { position }));
    }
  }
  return sound;
}

function exists(kind: (typeof kinds)[number], steps: readonly string[]): boolean {
  const ways = steps.reduce<readonly (readonly PropertyKey[])[]>(
    (paths, step) => {
      if (/^\d+$/.test(step)) return paths.map((path) => [...path, 0]);
      return step === '*'
        ? paths.flatMap((path) => [
            [...path, 0],
            [...path, '*'],
          ])
        : paths.map((path) => [...path, step]);
    },
    [[]],
  );
  return ways.slice(0, 64).some((path) => schemasAt(kind, path).length > 0);
}

function plain(node: SourceNode): Json {
  if (node.type === 'scalar') return node.value;
  if (node.type === 'list') return node.items.map(plain);
  return Object.fromEntries(Array.from(node.entries, ([key, { value }]) => [key, plain(value)]));
}
