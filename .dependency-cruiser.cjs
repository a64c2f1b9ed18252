// The order in which a change travels, as rules: what each folder may not know. See "The way of the data" in ARCHITECTURE.md.
const tests = '(\\.test\\.ts$|/testing/|-contract\\.ts$|/contract/|/testdata/)';

/** Files of `folder` (their tests aside) may import from src/ only what `allowed` lists. */
function onlyKnows(folder, allowed, comment) {
  return {
    name: `${folder.replaceAll('/', '-')}-knows-only`,
    comment,
    severity: 'error',
    from: { path: `^src/${folder}/`, pathNot: tests },
    to: { path: '^src/', pathNot: [`^src/${folder}/`, ...allowed.map((path) => `^src/${path}`)] },
  };
}

const ground = ['digest/', 'errors/', 'effects/'];
const ports = [
  'providers/[a-z-]+\\.ts$',
  'stack/',
  'store/store\\.ts$',
  'secrets/vault\\.ts$',
  'secrets/known-secrets\\.ts$',
  'telemetry/events\\.ts$',
];

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphan-import', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'product-does-not-import-tests',
      severity: 'error',
      from: { path: '^(src|bin|scripts)/', pathNot: tests },
      to: { path: tests },
    },
    {
      name: 'no-development-packages-in-the-product',
      severity: 'error',
      from: { path: '^(src|bin)/', pathNot: tests },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'plan-does-no-io',
      comment: 'A plan is a pure function: no clock, file, socket or process.',
      severity: 'error',
      from: { path: '^src/plan/', pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    onlyKnows('digest', [], 'Hashing and JSON stand on the ground.'),
    onlyKnows('errors', [], 'The catalogue stands on the ground.'),
    onlyKnows('effects', ['errors/'], 'Clock, randomness, processes and files stand on the ground.'),
    onlyKnows('stack', ground, 'The language knows nothing that runs.'),
    onlyKnows('plan', ['digest/', 'errors/', 'stack/', 'providers/(provider|resource-state)\\.ts$'], 'A plan compares; it does nothing.'),
    onlyKnows('store', ground, 'The store does not know the meaning of what it stores.'),
    onlyKnows('secrets', ground, 'The vault seals whatever it is given.'),
    onlyKnows('telemetry', [...ground, 'store/store\\.ts$'], 'Events know only where they are kept.'),
    onlyKnows('engine(?!/simulation)', [...ground, ...ports, 'plan/'], 'The engine knows no particular provider.'),
    onlyKnows(
      'providers',
      [...ground, 'stack/', 'store/store\\.ts$', 'secrets/vault\\.ts$', 'telemetry/events\\.ts$'],
      'Providers know no rollouts and no API.',
    ),
    onlyKnows(
      'flags',
      [...ground, 'stack/', 'store/store\\.ts$', 'providers/[a-z-]+\\.ts$'],
      'Flags know where they are kept and what a resource is.',
    ),
    onlyKnows(
      'notifications',
      [...ground, 'stack/', 'store/store\\.ts$', 'providers/[a-z-]+\\.ts$', 'secrets/known-secrets\\.ts$'],
      'Who is told knows nothing of what happens.',
    ),
    onlyKnows(
      'flag-rollouts',
      [...ground, 'stack/', 'store/store\\.ts$', 'flags/', 'rollout/', 'audit/', 'telemetry/events\\.ts$'],
      'A flag is rolled out by the evidence of releases; neither flags nor releases know of it.',
    ),
    onlyKnows(
      'scaling',
      [...ground, 'rollout/(service-controller|service-state|baseline)\\.ts$'],
      'How many instances there are is decided from what was counted; how they come about is the concern of rollouts.',
    ),
    onlyKnows('release', [...ground, 'stack/', 'store/store\\.ts$'], 'A release does not know how it runs.'),
    onlyKnows(
      'rollout(?!/simulation)',
      [
        ...ground,
        ...ports,
        'release/',
        'engine/output-resolver\\.ts$',
        'gateway/routing-table\\.ts$',
        'notifications/(message|message-body|outbox)\\.ts$',
      ],
      'A rollout decides weights; how traffic moves is behind a port.',
    ),
    onlyKnows(
      'rollout/simulation',
      [
        ...ground,
        ...ports,
        'release/',
        'rollout/',
        'store/memory-store\\.ts$',
        'engine/output-resolver\\.ts$',
        'notifications/(message|notification-documents|outbox)\\.ts$',
        'flags/',
        'flag-rollouts/',
        'audit/audit-(log|record)\\.ts$',
        'gateway/(routing-table|routing/[a-z0-9-]+|measuring/(unit-counts|variant-draw))\\.ts$',
        'store/lead\\.ts$',
      ],
      'The modelled world draws and counts as the gateway does, and stores in memory.',
    ),
    onlyKnows(
      'simulate',
      [...ground, 'stack/', 'rollout/', 'scaling/', 'store/memory-store\\.ts$', 'telemetry/events\\.ts$'],
      'Asks the real rollout what it would do in a modelled world.',
    ),
    onlyKnows(
      'gateway/control',
      [...ground, ...ports, 'gateway/', 'rollout/traffic\\.ts$'],
      'The control side of the gateway implements Traffic.',
    ),
    {
      name: 'gateway-knows-only',
      comment: 'The data plane runs without the control plane and its database.',
      severity: 'error',
      from: { path: '^src/gateway/', pathNot: [tests, '^src/gateway/control/'] },
      to: { path: '^src/', pathNot: ['^src/gateway/(?!control/)', ...ground.map((path) => `^src/${path}`)] },
    },
    onlyKnows(
      'migrations',
      [...ground, 'release/migrations/', 'rollout/migrations\\.ts$'],
      'A database is changed behind the port of the rollout.',
    ),
    onlyKnows('audit', [...ground, 'store/store\\.ts$', 'secrets/vault\\.ts$'], 'The audit log records whatever it is told.'),
    onlyKnows('access', [...ground, 'store/store\\.ts$'], 'Who may do what.'),
    {
      name: 'faces-do-not-touch-the-store',
      comment: 'The CLI is a client of the HTTP API; only language commands and rendering run in it.',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: tests },
      to: { path: '^src/(store|engine|rollout|release|secrets|access)/' },
    },
    {
      name: 'api-does-not-touch-the-store',
      severity: 'error',
      from: { path: '^src/api/', pathNot: tests },
      to: { path: '^src/(store/(?!store\\.ts)|providers/local|providers/simulated|control-plane|cli)' },
    },
    {
      name: 'nothing-knows-the-simulation',
      comment: 'It drives the real core; nothing that ships to users depends on it.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/engine/simulation/' },
      to: { path: '^src/engine/simulation/' },
    },
    {
      name: 'only-the-composition-root-composes',
      severity: 'error',
      from: { path: '^src/', pathNot: [tests, '^src/control-plane/', '^src/cli/', '^src/index[.]ts$'] },
      to: { path: '^src/(control-plane|cli)/' },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules'] },
    exclude: { path: ['/testdata/', '\\.sluice/'] },
    parser: 'swc',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
