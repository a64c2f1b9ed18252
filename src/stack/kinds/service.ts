import { z } from 'zod';
import { duration } from '../fields/duration.ts';
import { blockName, refersTo } from '../fields/names.ts';
import { imageReference } from '../fields/image-reference.ts';
import { stackPath } from '../fields/paths.ts';
import { cpu, memory } from '../fields/quantity.ts';
import { argv, hostName, semanticVersion, urlPath, whole } from '../fields/text.ts';
import { defineKind } from './kind-spec.ts';
import { outliers, responseCache, retries } from './service/balancing.ts';
import { environmentVariables, model } from './service/content.ts';
import { health } from './service/health.ts';
import { codeInJsonSchema, codeIssues } from './service/code-issues.ts';
import { limits } from './service/limits.ts';
import { rollout } from './service/rollout.ts';
import { scaling } from './service/scaling.ts';

const fields = z.strictObject({
  name: blockName('service'),
  resource_group_name: refersTo('resource_group', { ordering: true }).optional().describe('Resource group it belongs to.'),
  runs_on: refersTo(['virtual_machine', 'host'], { ordering: true })
    .optional()
    .describe('Machine its instances run on; without it, this machine.'),
  source: stackPath('folder').optional().describe('Folder with the code; its content is part of the release. Either it or `image`.'),
  image: imageReference()
    .optional()
    .describe('Container image with the code, run by the Docker engine of this machine; what it stands for is part of the release.'),
  command: argv()
    .optional()
    .describe("Program and arguments, started in the source folder without a shell. Of an image, instead of the image's own."),
  version: semanticVersion().describe('Semantic version of the release; a label that says how much changes.'),
  replicas: whole(0, 10_000).default(1).describe('Number of instances when it is not scaled by load.'),
  resources: z
    .strictObject({
      cpu: cpu().optional().describe('Processor time of one instance, such as 250m.'),
      memory: memory().optional().describe('Memory of one instance, such as 256Mi.'),
    })
    .optional()
    .describe('What one instance needs, and gets at most.'),
  health: health.prefault({}).describe('How it is found out that an instance is ready.'),
  drain: duration().default('10s').describe('How long a stopping instance may finish what it has begun.'),
  prompts: stackPath('file or folder').optional().describe('Prompts; a change to them is a new release.'),
  model: model.optional().describe('Model it uses; part of the release.'),
  policy: stackPath('file').optional().describe('Policy the agent follows; part of the release.'),
  env: environmentVariables.default({}).describe('Environment variables, all an instance gets besides those Sluice sets.'),
  calls: z
    .array(refersTo('service', { ordering: false }))
    .default([])
    .describe('Services it may call; everything else is refused.'),
  expose: z
    .strictObject({
      host: hostName().describe('Host name of public requests.'),
      path: urlPath().default('/').describe('Prefix of their path.'),
    })
    .optional()
    .describe('How the public reaches it; without it, only other services do.'),
  api: stackPath('file').optional().describe('OpenAPI description; compared with the stable release before both run side by side.'),
  cache: responseCache.optional().describe('Answers that are shared between requests.'),
  migrations: z
    .union(
      [
        stackPath('folder'),
        z.strictObject({
          path: stackPath('folder').describe('Folder with the migrations.'),
          database: refersTo('database', { ordering: true }).describe('Database they change.'),
        }),
      ],
      { error: 'a folder, or { path, database }' },
    )
    .optional()
    .describe(
      'Migrations of the one database whose URL is in env, or of the one named: files NUMBER_name.PHASE.sql; a contract one waits until no release without it runs or is kept.',
    ),
  limits: limits.optional().describe('Load it accepts.'),
  outliers: outliers.optional().describe('When an instance is left out because its requests fail; without it, by the defaults.'),
  slow_start: duration()
    .optional()
    .describe('A new instance gets a tenth of its share at first, and all of it after so long; without it, at once.'),
  retries: retries.optional().describe('How often a request that reached no instance is tried on another.'),
  scaling: scaling.optional().describe('Number of instances by load; replaces replicas.'),
  rollout: rollout.prefault({}).describe('How a new release replaces the old one.'),
});

const schema = fields
  .superRefine((value, context) => {
    for (const { field, message } of codeIssues(value)) context.addIssue({ code: 'custom', path: [...field], message });
  })
  .meta(codeInJsonSchema);

export const service = defineKind({
  kind: 'service',
  summary: 'A deployable agent or application.',
  schema,
  verbatim: ['env', 'rollout.experiment.arms.*.env'],
  outputs: {
    url: { description: 'Base URL for the services that may call it.', secret: false },
    public_url: { description: 'Public URL; only of a service that is exposed.', secret: false },
    release: { description: 'Identity of the stable release.', secret: false },
  },
  example: `service:
  name: conversation-agent
  source: agents/conversation
  command: [node, server.ts]
  version: 1.0.0
  replicas: 2
  resources: { cpu: 250m, memory: 256Mi }
  health: { path: /healthz }
  prompts: prompts/conversation
  env:
    LOG_LEVEL: info
  expose: { host: support.localhost }
  rollout: { strategy: rolling, max_surge: 1, max_unavailable: 0 }
`,
});

export type ServiceFields = z.output<typeof schema>;
