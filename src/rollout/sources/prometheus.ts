import { z } from 'zod';
import { getOutbound } from '../../effects/outbound.ts';
import { type Ask, heldTo, type Measured, type SourceSettings } from './source.ts';

/** An instant vector or a scalar, as Prometheus' HTTP API v1 answers a query. Values are texts: JSON knows no NaN. */
const sample = z.tuple([z.number(), z.string()]);
const succeeded = z.object({
  status: z.literal('success'),
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: sample })) }),
    z.object({ resultType: z.literal('scalar'), result: sample }),
  ]),
});
const failed = z.object({ status: z.literal('error'), errorType: z.string().max(100) });

const mostBytes = 1_048_576;

/** One instant query. Resolves only with `error` by throwing: an Error whose message may be shown. */
export async function askPrometheus(
  { url: base, query, authorization }: Extract<Ask, { type: 'prometheus' }>,
  { timeoutMs, ...bounds }: Pick<SourceSettings, 'timeoutMs' | 'atMost' | 'atLeast'>,
  signal?: AbortSignal,
): Promise<Measured> {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v1/query`;
  url.searchParams.set('query', query);
  url.searchParams.set('timeout', `${timeoutMs}ms`);
  const headers: Readonly<Record<string, string>> = authorization === undefined ? {} : { authorization };
  const { status, body } = await getOutbound({ url, headers, timeoutMs, mostBytes, signal });
  const answer = parsed(body);
  const problem = failed.safeParse(answer);
  if (problem.success) throw new Error(`the query was refused: ${problem.data.errorType.replaceAll(/[^\w ]/g, '')}`);
  if (status !== 200) throw new Error(`it answered with status ${status}`);
  const { success, data: found } = succeeded.safeParse(answer);
  if (!success) throw new Error('its answer is none to an instant query with one value');
  const { data } = found;
  if (data.resultType === 'scalar') return heldTo(numberOf(data.result[1]), bounds);
  const [first, ...others] = data.result;
  if (first === undefined) return { outcome: 'no_data', said: 'the query finds nothing' };
  if (others.length > 0) throw new Error(`the query finds ${others.length + 1} values where it should find one: aggregate them`);
  return heldTo(numberOf(first.value[1]), bounds);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

function numberOf(text: string): number {
  const signed = /^([+-]?)Inf$/.exec(text);
  if (signed) return signed[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (text.trim() === '' || (text !== 'NaN' && Number.isNaN(Number(text)))) throw new Error('its answer holds no number');
  return Number(text);
}
