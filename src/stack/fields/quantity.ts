import { z } from 'zod';

const cpuPattern = /^(\d+m|\d+(\.\d{1,3})?)$/;
const memoryPattern = /^\d+(Ki|Mi|Gi|Ti|K|M|G|T)?$/;
const bytesByUnit: Readonly<Record<string, number>> = {
  '': 1,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Thousandths of a processor: `250m` is 250, `2` is 2000. Throws RangeError for what the schema would refuse. */
export function parseCpuMillis(text: string): number {
  if (!cpuPattern.test(text)) throw new RangeError(`not an amount of cpu: ${text}`);
  return text.endsWith('m') ? Number(text.slice(0, -1)) : Math.round(Number(text) * 1000);
}

/** Bytes: `256Mi` is 268435456, `1G` is 1000000000. Throws RangeError for what the schema would refuse. */
export function parseMemoryBytes(text: string): number {
  if (!memoryPattern.test(text)) throw new RangeError(`not an amount of memory: ${text}`);
  const unit = /[A-Za-z]*$/.exec(text)?.[0] ?? '';
  return Number(text.slice(0, text.length - unit.length)) * (bytesByUnit[unit] ?? 1);
}

/** An amount of processor as Kubernetes writes it. A plain number is accepted and kept as text. */
export function cpu() {
  return quantity(cpuPattern, 'an amount of cpu such as 250m, 0.5 or 2', (text) => parseCpuMillis(text)).meta({ 'x-type': 'cpu' });
}

/** An amount of memory as Kubernetes writes it. A plain number of bytes is accepted and kept as text. */
export function memory() {
  return quantity(memoryPattern, 'an amount of memory such as 256Mi or 2Gi', (text) => parseMemoryBytes(text)).meta({ 'x-type': 'memory' });
}

function quantity(pattern: RegExp, expected: string, amount: (text: string) => number) {
  return z
    .union([z.string(), z.number()], { error: expected })
    .transform(String)
    .refine((text) => pattern.test(text) && amount(text) > 0, { error: expected });
}
