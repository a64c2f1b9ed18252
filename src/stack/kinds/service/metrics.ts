import { z } from 'zod';
import { duration, parseDuration } from '../../fields/duration.ts';
import { label } from '../../fields/names.ts';
import { argv, text, whole } from '../../fields/text.ts';

/** What a query, a URL and a command may speak of: `$release`. */
export const templateVariables = ['release', 'stable', 'service', 'environment'] as const;

/** `$name` in a template; what is no name (`$1`, a `$` at the end) is none, and `${...}` belongs to the language. */
export const templatePattern: RegExp = /\$([A-Za-z_]\w*)/g;

const isKnown = (value: string): boolean =>
  [...value.matchAll(templatePattern)].every(([, name]) => (templateVariables as readonly (string | undefined)[]).includes(name));

function template<Schema extends z.ZodType<string>>(schema: Schema) {
  return schema.refine(isKnown, { error: `no other variables than ${templateVariables.map((name) => `$${name}`).join(', ')}` });
}

/** One with an interpolation is judged when it is asked. */
function isUsable(value: string): boolean {
  const url = URL.parse(value);
  return value.includes('${') || (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '');
}

function sourceUrl() {
  return template(text(2_048)).refine(isUsable, { error: 'an http or https URL without a user or password' });
}

const authorization = text(1_024)
  .refine((value) => /\$\{secret\.[\w-]+\}/.test(value), { error: 'text with a secret, such as Bearer ${secret.prometheus}' })
  .optional()
  .describe('Value of the header authorization; it holds a secret, such as `Bearer ${secret.prometheus}`.');

const source = z.strictObject({
  name: label().describe('Name of the source, unique within the analysis.'),
  prometheus: z
    .strictObject({
      url: sourceUrl().describe('Base URL of the Prometheus server, or of one that speaks its API.'),
      query: template(text(4_096)).describe(
        'Instant query with one value as its answer. $release, $stable, $service and $environment stand for themselves.',
      ),
      authorization,
    })
    .optional()
    .describe('Asks a Prometheus server.'),
  http: z
    .strictObject({
      url: sourceUrl().describe('URL that is asked with GET. $release, $stable, $service and $environment stand for themselves.'),
      value: z
        .string()
        .max(512, { error: 'at most 512 characters' })
        .regex(/^(\/([^/~]|~[01])*)+$/, { error: 'a JSON pointer such as /score' })
        .optional()
        .describe('JSON pointer to a number of the answer; without one, an answer with a status from 200 to 299 passes.'),
      authorization,
    })
    .optional()
    .describe('Asks any server.'),
  command: argv()
    .optional()
    .describe(
      "Program and arguments, run without a shell in the candidate's source folder: 0 passes, 1 fails, anything else is an error. Variables as in a query, and as SLUICE_RELEASE and so on.",
    ),
  at_most: z.number().optional().describe('The value passes up to this one.'),
  at_least: z.number().optional().describe('The value passes from this one on.'),
  interval: duration().default('30s').describe('Time between two measurements.'),
  timeout: duration().default('10s').describe('A measurement that takes longer is an error.'),
  failures: whole(0, 100).default(1).describe('Failed measurements in a row that are tolerated.'),
  errors: whole(0, 100)
    .default(3)
    .describe('Measurements in a row that may come to nothing before the rollout is held until one succeeds.'),
});

const oneWay = 'exactly one of prometheus, http and command';

/** What else speaks for or against a candidate, beside what the gateway counts. */
export const metrics = z.array(
  source.superRefine((value, context) => {
    const { prometheus, http, command, at_most: most, at_least: least } = value;
    const issue = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    if ([prometheus, http, command].filter((way) => way !== undefined).length !== 1) issue([], oneWay);
    const hasValue = prometheus !== undefined || http?.value !== undefined;
    const hasBound = most !== undefined || least !== undefined;
    if (hasValue && !hasBound) issue([], 'an object with at_most or at_least, which the value is held to');
    if (!hasValue && hasBound) issue([most === undefined ? 'at_least' : 'at_most'], 'left out: there is no value that could be held to it');
    if (most !== undefined && least !== undefined && most < least) issue(['at_most'], 'not less than at_least');
    if ((parseDuration(value.interval) ?? 0) < 1_000) issue(['interval'], 'at least 1s');
    if ((parseDuration(value.timeout) ?? 0) > 300_000) issue(['timeout'], 'at most 5m');
  }),
);
