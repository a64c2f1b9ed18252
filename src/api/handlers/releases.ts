import type { Handlers } from '../handler.ts';
import type { ApiDependencies } from '../ports.ts';

type Names = 'listReleases' | 'getRelease' | 'compareReleases';

export function releaseHandlers({ releases }: ApiDependencies): Pick<Handlers, Names> {
  return {
    listReleases: ({ parameters: { environment, name } }) => releases.list(environment, name),
    getRelease: ({ parameters: { environment, name, id } }) => releases.get(environment, name, id),
    compareReleases: ({ parameters: { environment, name, id }, query }) =>
      releases.compare(environment, name, { from: query.from, to: id }),
  };
}
