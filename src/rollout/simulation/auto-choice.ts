import type { ReleaseChange } from '../../release/difference/release-change.ts';
import { rollout as language } from '../../stack/kinds/service/rollout.ts';
import { chosenRollout } from '../auto/chosen-rollout.ts';
import type { RolloutSettings, ServiceState } from '../service-state.ts';

/** What is different between two releases of the modelled world, which are made of nothing. */
export const changes = ['code', 'prompt', 'model', 'breaking', 'unknown'] as const;
export type ModelledChange = (typeof changes)[number];

const nothing: ReleaseChange = {
  version: { from: '1.0.0', to: '1.0.1', bump: 'patch' },
  files: [],
  prompts: [],
  environment: [],
  apiComparison: 'same',
  api: [],
  migrations: [],
};

const changeOf: Readonly<Record<ModelledChange, ReleaseChange | undefined>> = {
  code: { ...nothing, files: [{ part: 'source', path: 'source/a.ts', change: 'changed', lines: { added: 3, removed: 1 } }] },
  prompt: {
    ...nothing,
    version: { from: '1.0.0', to: '1.1.0', bump: 'minor' },
    files: [{ part: 'prompts', path: 'prompts/a.md', change: 'changed' }],
  },
  model: { ...nothing, version: { from: '1.0.0', to: '2.0.0', bump: 'major' }, model: { version: { from: '1', to: '2' }, parameters: [] } },
  breaking: {
    ...nothing,
    version: { from: '1.0.0', to: '2.0.0', bump: 'major' },
    apiComparison: 'compared',
    api: [{ path: 'GET /a', breaking: true, what: 'the operation is removed' }],
  },
  unknown: undefined,
};

/** Short enough for a story. */
const declared = language.parse({
  strategy: 'auto',
  steps: [
    { weight: 10, for: '1s' },
    { weight: 50, for: '2s' },
  ],
  analysis: { error_rate: {}, min_requests: 20, no_data: 'continue' },
  keep_previous: '4s',
  progress_deadline: '8s',
});

/** The way that is chosen for a release by what is different. */
export function chosenFor(
  change: ModelledChange,
  { release, replicas, state }: { readonly release: string; readonly replicas: number; readonly state: ServiceState | undefined },
): RolloutSettings {
  return chosenRollout({ declared, replicas, release, state, change: changeOf[change] });
}
