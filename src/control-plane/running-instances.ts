import type { RunningInstance, Workloads } from '../providers/workloads.ts';

/** The instances whose processes run at this moment, whoever started them. */
export async function runningInstances(workloads: Pick<Workloads, 'list' | 'inspect'>): Promise<readonly RunningInstance[]> {
  const found = await Promise.all((await workloads.list()).map(({ id }) => workloads.inspect(id)));
  return found.flatMap((status) => (status.status === 'running' ? [status.instance] : []));
}
