import type { Parts } from './compose.ts';
import type { Logger } from './log.ts';

/**
 * Takes up what the last control plane left, running or cut short. What fails is told and keeps nothing else from coming up. Once `signal`
 * is aborted, nothing more is taken up and nothing is waited for. Never rejects.
 */
export async function takeUp({ engine, runs, databases, gateway, controller }: Parts, log: Logger, signal: AbortSignal): Promise<void> {
  const attempt = async (what: string, step: () => Promise<unknown>): Promise<void> => {
    if (signal.aborted) return;
    try {
      await step();
    } catch (error) {
      log.error({ error }, `${what} failed at the start`);
    }
  };
  await attempt('settling interrupted runs', () => runs.settleInterrupted());
  await attempt('recovery', () => engine.recover());
  await attempt('the gateway', () => gateway.start());
  await attempt('resuming', () => engine.resumeAll(signal));
  await attempt('settling interrupted restores', () => databases.settleInterrupted());
  await attempt('the service controller', () => controller.start());
  log.info('taken up');
}
