import { z } from 'zod';
import { duration } from '../fields/duration.ts';
import { blockName, label, refersTo } from '../fields/names.ts';
import { stackPath } from '../fields/paths.ts';
import { argv, fraction, text, whole } from '../fields/text.ts';
import { defineKind } from './kind-spec.ts';

const environmentName = () => refersTo('environment', { ordering: false });

const build = z.strictObject({
  build: z
    .union([z.literal('all'), z.array(refersTo('service', { ordering: false }))], { error: 'all, or a list of services' })
    .describe('Makes releases of all services, or of those listed.'),
});

const run = z.strictObject({ run: argv().describe('Program and arguments, run in the folder of the stack without a shell.') });

const scenarios = z.strictObject({
  scenarios: stackPath('folder').describe('Folder of scenarios the agents are tried with.'),
  repeats: whole(1, 10_000).default(1).describe('How often each is tried.'),
  pass_rate: z
    .number()
    .gt(0, { error: 'a number above 0' })
    .lte(1, { error: 'a number up to 1' })
    .default(1)
    .describe('Share of tries that must pass.'),
  confidence: fraction().default(0.95).describe('Confidence with which the pass rate must be reached.'),
});

const deploy = z.strictObject({ deploy: environmentName().describe('Environment the release is rolled out in.') });

const approve = z.strictObject({
  approve: z
    .strictObject({
      roles: z
        .array(refersTo('role', { ordering: false }))
        .min(1, { error: 'a list with at least one role' })
        .describe('Roles of which one has to agree.'),
      timeout: duration().default('24h').describe('How long an approval is waited for.'),
    })
    .describe('Waits for a person.'),
});

const monitor = z.strictObject({
  monitor: environmentName().describe('Environment to watch.'),
  for: duration().default('10m').describe('How long to watch it.'),
});

const push = z.strictObject({
  branch: text(256).describe('Branch a push to which starts the pipeline.'),
});

const schema = z.strictObject({
  name: blockName('pipeline'),
  on: z
    .strictObject({ push: push.optional().describe('Starts on a push.') })
    .prefault({})
    .describe('What starts it; without it, only a person does.'),
  stages: z
    .array(
      z.strictObject({
        name: label().describe('Name of the stage, unique in its pipeline.'),
        steps: z
          .array(
            z.union([build, run, scenarios, deploy, approve, monitor], {
              error: 'one of build, run, scenarios, deploy, approve or monitor',
            }),
          )
          .min(1, { error: 'at least one step' })
          .describe('What is done, in order.'),
      }),
    )
    .min(1, { error: 'at least one stage' })
    .refine((stages) => new Set(stages.map(({ name }) => name)).size === stages.length, { error: 'stages with different names' })
    .describe('Stages, one after another; a stage that fails ends the run.'),
});

export const pipeline = defineKind({
  kind: 'pipeline',
  summary: 'The way of a change from a push to production.',
  schema,
  outputs: {},
  example: `pipeline:
  name: ship
  on: { push: { branch: main } }
  stages:
    - { name: build, steps: [{ build: all }] }
    - { name: test, steps: [{ run: [npm, test] }] }
`,
});
