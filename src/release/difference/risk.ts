import { imageInWords } from './in-words.ts';
import type { FileChange, ReleaseChange } from './release-change.ts';

const riskLevels = ['low', 'medium', 'high'] as const;
export type RiskLevel = (typeof riskLevels)[number];

interface RiskReason {
  readonly level: RiskLevel;
  /** `the prompts change: 3 of 120 words`. */
  readonly reason: string;
}

export interface ReleaseRisk {
  readonly level: RiskLevel;
  /** What makes it so, the gravest first. Never empty. */
  readonly reasons: readonly RiskReason[];
}

/** Lines of code up to which a change can be read at a glance, and from which nobody reads all of it. */
const fewLines = 50;
const manyLines = 500;

/**
 * How much a release can go wrong, from what is different and how much of it. What a model reads or is counts for more than code of the
 * same size, because no test and no type stands before it. Three reasons of medium weight together are high: what fails is then hard to
 * find.
 */
export function assessRisk(change: ReleaseChange): ReleaseRisk {
  const reasons = [
    ...versionRisk(change),
    ...imageRisk(change),
    ...codeRisk(change.files.filter(({ part }) => part === 'source')),
    ...promptRisk(change),
    ...modelRisk(change),
    ...apiRisk(change),
    ...migrationRisk(change),
    ...settingsRisk(change),
  ].toSorted((one, other) => riskLevels.indexOf(other.level) - riskLevels.indexOf(one.level));
  if (reasons.length === 0) return { level: 'low', reasons: [{ level: 'low', reason: 'nothing that changes behaviour' }] };
  const worst = reasons[0]?.level ?? 'low';
  const medium = reasons.filter(({ level }) => level === 'medium').length;
  if (worst !== 'medium' || medium < 3) return { level: worst, reasons };
  return { level: 'high', reasons: [{ level: 'high', reason: `${medium} things of weight change at once` }, ...reasons] };
}

function versionRisk({ version: { from, to, bump } }: ReleaseChange): RiskReason[] {
  if (bump === 'major') return [{ level: 'high', reason: `a new major version: ${from} to ${to}` }];
  return bump === 'lower' ? [{ level: 'medium', reason: `the version goes back: ${from} to ${to}` }] : [];
}

/** How much of an image is different is not to be seen. */
function imageRisk(change: ReleaseChange): RiskReason[] {
  return imageInWords(change).map((words) => ({ level: 'medium', reason: words }));
}

function codeRisk(files: readonly FileChange[]): RiskReason[] {
  if (files.length === 0) return [];
  const lines = files.reduce((sum, file) => sum + (file.lines ? Math.max(file.lines.added, file.lines.removed) : 0), 0);
  const opaque = files.filter((file) => file.lines === undefined).length;
  const size = `${counted(lines, 'line')} in ${counted(files.length, 'file')}`;
  const reason = `the code changes: ${size}${opaque > 0 ? `, ${opaque} of them no text or too large to compare` : ''}`;
  if (lines > manyLines) return [{ level: 'high', reason }];
  return [{ level: lines > fewLines || opaque > 0 ? 'medium' : 'low', reason }];
}

function promptRisk({ files, prompts }: ReleaseChange): RiskReason[] {
  if (!files.some(({ part }) => part === 'prompts')) return [];
  const changed = prompts.reduce((sum, prompt) => sum + prompt.changed, 0);
  const of = prompts.reduce((sum, prompt) => sum + prompt.of, 0);
  const isRewritten = of > 0 && changed > of / 2 && changed > 20;
  return [{ level: isRewritten ? 'high' : 'medium', reason: `the prompts change: ${changed} of ${counted(of, 'word')}` }];
}

function modelRisk({ model }: ReleaseChange): RiskReason[] {
  if (!model) return [];
  if (model.name) return [{ level: 'high', reason: `another model: ${textOf(model.name.from)} to ${textOf(model.name.to)}` }];
  if (model.version) {
    return [{ level: 'high', reason: `another version of the model: ${textOf(model.version.from)} to ${textOf(model.version.to)}` }];
  }
  return [{ level: 'medium', reason: `parameters of the model change: ${model.parameters.map(({ name }) => name).join(', ')}` }];
}

function apiRisk({ api, apiComparison }: ReleaseChange): RiskReason[] {
  if (apiComparison === 'removed') return [{ level: 'medium', reason: 'the API is no longer described' }];
  if (apiComparison === 'unreadable') return [{ level: 'medium', reason: 'the API changes, and cannot be compared' }];
  const breaking = api.filter((change) => change.breaking).length;
  if (breaking > 0) return [{ level: 'high', reason: `the API breaks in ${counted(breaking, 'place')}` }];
  return api.length > 0 ? [{ level: 'low', reason: `the API grows: ${counted(api.length, 'compatible change')}` }] : [];
}

function migrationRisk({ migrations }: ReleaseChange): RiskReason[] {
  if (migrations.length === 0) return [];
  const rewritten = migrations.filter(({ change }) => change !== 'added');
  if (rewritten.length > 0) return [{ level: 'high', reason: `migrations are rewritten: ${rewritten.map(({ name }) => name).join(', ')}` }];
  const names = migrations.map(({ name }) => name).join(', ');
  const isDestructive = migrations.some(({ phase }) => phase === 'contract');
  return [{ level: isDestructive ? 'high' : 'medium', reason: `the database changes${isDestructive ? ' for good' : ''}: ${names}` }];
}

function settingsRisk({ files, environment, command }: ReleaseChange): RiskReason[] {
  const reasons: RiskReason[] = [];
  if (files.some(({ part }) => part === 'policy')) reasons.push({ level: 'medium', reason: 'the policy changes' });
  if (command) reasons.push({ level: 'medium', reason: 'the command changes' });
  if (environment.length > 0) {
    reasons.push({ level: 'low', reason: `variables change: ${environment.map(({ name }) => name).join(', ')}` });
  }
  return reasons;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function textOf(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
