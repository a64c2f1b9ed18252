import { z } from 'zod';
import { catalogue, type ErrorCode } from '../../errors/catalogue.ts';
import { SluiceError, sluiceError } from '../../errors/sluice-error.ts';
import { type GatewayReport, gatewayReport } from '../admin/gateway-report.ts';
import { type GatewayCounts, gatewayCounts } from '../measuring/report.ts';
import type { RoutingTable } from '../routing-table.ts';
import { changeOf } from '../table/table-change.ts';

/** Where a gateway process takes orders. */
export interface AdminAddress {
  readonly url: string;
  readonly token: string;
}

/** The gateway's admin listener from the control plane's side. Throws the gateway's own errors, `gateway_unreachable` when it is away. */
export interface AdminClient {
  report(): Promise<GatewayReport>;
  /** What it has counted, by release and for evidence. */
  counts(): Promise<GatewayCounts>;
  /** Resolves once the table is in force and durable. */
  putTable(table: RoutingTable): Promise<void>;
  /** As `putTable`, telling only what differs from a table this client has put; services that are the same objects do not. */
  amendTable(before: RoutingTable, table: RoutingTable): Promise<void>;
  drainAndExit(deadlineMs: number): Promise<void>;
  /** Resolves once a main process of this program serves in its place; running requests have until the deadline. */
  handOver(program: readonly [string, ...string[]], deadlineMs?: number): Promise<void>;
}

/** A gateway that is well answers at once; making a large table durable takes longer, and another process may have to start for it. */
const answerMs = 3_000;
const tableMs = 30_000;
const handOverMs = 30_000;
const errorBody = z.object({ error: z.object({ code: z.string(), message: z.string(), help: z.string() }) });

export function createAdminClient({ url, token }: AdminAddress): AdminClient {
  const ask = async (method: string, path: string, body?: unknown, limitMs = answerMs): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(limitMs),
    }).catch((error: unknown) => {
      throw sluiceError('gateway_unreachable', { reason: reasonOf(error) }, { cause: error });
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok) throw errorOf(answer, response.status);
    return answer;
  };

  return {
    report: async () => {
      const parsed = gatewayReport.safeParse(await ask('GET', '/status'));
      if (!parsed.success) throw sluiceError('gateway_unreachable', { reason: 'its report is not understood' }, { cause: parsed.error });
      return parsed.data;
    },
    counts: async () => {
      const parsed = gatewayCounts.safeParse(await ask('GET', '/counts'));
      if (!parsed.success) throw sluiceError('gateway_unreachable', { reason: 'its counts are not understood' }, { cause: parsed.error });
      return parsed.data;
    },
    putTable: async (table) => {
      await ask('PUT', '/table', table, tableMs);
    },
    amendTable: async (before, table) => {
      await ask('PATCH', '/table', changeOf(before, table), tableMs);
    },
    drainAndExit: async (deadlineMs) => {
      await ask('POST', '/drain-and-exit', { deadlineMs });
    },
    handOver: async (program, deadlineMs) => {
      await ask('POST', '/hand-over', { program, ...(deadlineMs !== undefined && { deadlineMs }) }, handOverMs);
    },
  };
}

function errorOf(answer: unknown, status: number): SluiceError {
  const parsed = errorBody.safeParse(answer);
  if (!parsed.success || !Object.hasOwn(catalogue, parsed.data.error.code)) {
    return sluiceError('gateway_unreachable', { reason: `it answered with status ${status}` });
  }
  const { code, message, help } = parsed.data.error;
  return new SluiceError(code as ErrorCode, { message, help }, {});
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message;
}
