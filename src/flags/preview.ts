import { jsonEquals, type Json } from '../digest/json.ts';
import { type FlagDefinition, type FlagRecord, inWords, type Override, valueOf } from './flag.ts';

/** What a change by hand would come to. */
export interface FlagPreview {
  /** Whether anybody would be served anything else, or by another rule. */
  readonly changes: boolean;
  /** What is served before and after, in words. */
  readonly from: string;
  readonly to: string;
  /** A line for each group of users: what it would get, and what it gets now. */
  readonly users: readonly string[];
}

/** Pure. */
export function previewOf(before: FlagRecord, after: FlagRecord): FlagPreview {
  const [was, is] = [before.override, after.override];
  const changes = !jsonEquals(bare(was), bare(is));
  return { changes, from: inWords(before), to: inWords(after), users: changes ? usersOf(after.definition, was, is) : [] };
}

/** What an override does, without who made it. */
function bare(override: Override | undefined): Json {
  if (override === undefined) return null;
  const { action, variant = null, percent = null, attribute = null } = override as Partial<Record<string, Json>>;
  return { action: action ?? null, variant, percent, attribute };
}

function usersOf(definition: FlagDefinition, was: Override | undefined, is: Override | undefined): readonly string[] {
  const served = (variant: string): string => `${variant} (${JSON.stringify(valueOf(definition, variant) ?? null)})`;
  const declared =
    definition.rules.length === 0 ? served(definition.default) : `what the rules of the stack say, else ${served(definition.default)}`;
  const whole = (override: Override | undefined): string => {
    if (override === undefined) return declared;
    if (override.action === 'kill') return served(definition.default);
    const share =
      override.action === 'percent' ? ` for ${override.percent} % of them by ${override.attribute}, ${declared} for the others` : '';
    return `${served(override.variant)}${share}`;
  };
  if (is?.action !== 'percent') return [`everybody gets ${whole(is)}; now: ${whole(was)}`];
  const { variant, percent, attribute } = is;
  const grows = was?.action === 'percent' && was.variant === variant && was.attribute === attribute;
  const kept = !grows
    ? `now: ${whole(was)}`
    : was.percent <= percent
      ? `those ${was.percent} % who have it keep it`
      : `now: ${was.percent} %, of whom the rest lose it`;
  return [
    `${percent} % of the users, told apart by ${attribute}, get ${served(variant)}; ${kept}`,
    `the other ${rest(percent)} % get ${declared}`,
  ];
}

function rest(percent: number): number {
  return Math.round((100 - percent) * 100) / 100;
}
