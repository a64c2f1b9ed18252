import { z } from 'zod';
import { text } from '../fields/text.ts';

const attributeValue = z.union([z.string(), z.number(), z.boolean()], { error: 'text, a number, true or false' });

function oneOrMore<Value extends z.ZodType>(value: Value, error: string) {
  return z.union([value, z.array(value).min(1, { error: 'a list with at least one value' })], { error });
}

const part = text(256);
const parts = oneOrMore(part, 'a text or a list of texts');

/** A full semantic version: flagd's own schema wants all three numbers. */
const comparison = /^(>=|<=|!=|=|>|<)?\s*(\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)$/;
const version = text(256).refine((value) => versionComparisons(value) !== undefined, {
  error: "comparisons with full versions, such as '>=2.1.0' or '>=2.1.0 <3.0.0'",
});

/** What an attribute has to be like; all that is said has to hold. An attribute the user does not have fulfils only `not`. */
const condition = z
  .strictObject({
    not: oneOrMore(attributeValue, 'a value or a list of values')
      .optional()
      .describe('None of these; holds too where there is no such attribute.'),
    starts_with: parts.optional().describe('Text that begins so; of a list, any one.'),
    ends_with: parts.optional().describe('Text that ends so; of a list, any one.'),
    above: z.number().optional().describe('A number greater than this.'),
    at_least: z.number().optional().describe('A number greater than this, or this.'),
    below: z.number().optional().describe('A number smaller than this.'),
    at_most: z.number().optional().describe('A number smaller than this, or this.'),
    version: version.optional().describe("A semantic version, compared: '>=2.1.0 <3.0.0'; all comparisons have to hold."),
  })
  .refine((given) => Object.keys(given).length > 0, {
    error: 'a condition with not, starts_with, ends_with, above, at_least, below, at_most or version',
    when: ({ issues }) => issues.length === 0,
  });
export type FlagCondition = z.output<typeof condition>;

/** The name of an attribute, with dots into objects; flagd keeps `$flagd` for itself. */
export const attributeName = text(128).refine((name) => !/^\$flagd(\.|$)/.test(name), {
  error: "the name of an attribute; $flagd is no user's",
});

export const attributeCondition = z.union([oneOrMore(attributeValue, 'a value or a list of values'), condition], {
  error:
    'a value, a list with at least one value, or a condition such as { ends_with: ... }, { not: ... }, { at_least: ... } or { version: ... }',
});

/** `>=2.1.0 <3.0.0` as its comparisons; undefined for what is none. */
export function versionComparisons(given: string): readonly (readonly [operator: string, version: string])[] | undefined {
  const words = given
    .trim()
    .replaceAll(/(?<=[<>=])\s+/g, '')
    .split(/\s+/);
  const found = words.map((word) => comparison.exec(word));
  return found.every((match) => match !== null) ? found.map(([, operator = '=', version = '']) => [operator, version] as const) : undefined;
}
