/** `passed`, `failed`: an active check. `answered`, `reset`: a request, `failing` one that was answered with a failure. `unreachable`: nothing accepts connections, whoever tried. */
export type Observation = 'passed' | 'failed' | 'answered' | 'failing' | 'reset' | 'unreachable';

/** Failures in a row after which an instance gets no new work. */
const failuresToEject = 3;

/**
 * Takes an observation into account; true when the instance became healthy or unhealthy by it. A refused connection is proof and ejects at
 * once; one failed check or reset request is not. Only an active check brings an instance back: a request that got through by luck
 * must not.
 */
export function judge(instance: { healthy: boolean; failures: number }, observation: Observation): boolean {
  const before = instance.healthy;
  switch (observation) {
    case 'passed':
      instance.failures = 0;
      instance.healthy = true;
      break;
    case 'answered':
    case 'failing':
      if (instance.healthy) instance.failures = 0;
      break;
    case 'failed':
    case 'reset':
      instance.failures += 1;
      if (instance.failures >= failuresToEject) instance.healthy = false;
      break;
    case 'unreachable':
      instance.failures += 1;
      instance.healthy = false;
      break;
  }
  return instance.healthy !== before;
}
