const levels = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof levels)[number];

const chosen = levels.indexOf((process.env['LOG_LEVEL'] ?? 'info') as Level);
const threshold = chosen === -1 ? levels.indexOf('info') : chosen;

/** One JSON object a line on standard output. Never give it what a user wrote, nor a secret: logs are read by more people than answers. */
export function log(level: Level, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
  if (levels.indexOf(level) < threshold) return;
  const origin = {
    service: process.env['SLUICE_SERVICE'],
    release: process.env['SLUICE_RELEASE'],
    instance: process.env['SLUICE_INSTANCE'],
  };
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...origin, ...fields })}\n`);
}
