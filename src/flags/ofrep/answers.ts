import { digestText } from '../../digest/digest.ts';
import { canonicalJson, type JsonObject } from '../../digest/json.ts';
import { readContext } from '../context.ts';
import type { Evaluation, EvaluationReason } from '../evaluate.ts';
import type { FlagSet, FlagSets } from '../flag-sets.ts';
import type { CountedEvaluation } from '../usage.ts';
import type { UsageKeeper } from '../usage-keeper.ts';
import { createRememberedContexts } from './remembered-contexts.ts';

/** An answer by the letter of OFREP 0.3 (https://github.com/open-feature/protocol, service/openapi.yaml). */
export interface OfrepAnswer {
  readonly status: 200 | 304 | 400 | 404;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body?: string;
}

/** Who asks, and for which environment. */
export interface Evaluator {
  readonly environment: string;
  /** Absent for an API key. */
  readonly service?: string;
  /** The release the asking instance runs, where that is known. */
  readonly release?: string;
}

interface BulkRequest {
  readonly body: string;
  readonly ifNoneMatch: string | undefined;
  /** What a change event told: the set has to be at least as new as this. */
  readonly flagConfigEtag: string | undefined;
  /** Path and query of the stream of change events for this client. */
  readonly eventStream: string;
}

export interface Ofrep {
  /** `key` as it stands in the path, percent-encoded. */
  single(evaluator: Evaluator, key: string, body: string): Promise<OfrepAnswer>;
  bulk(evaluator: Evaluator, request: BulkRequest): Promise<OfrepAnswer>;
}

/** Of contexts that are remembered: some ten thousand clients. */
const contextCharacters = 8_000_000;

/** Seconds after which a client that is not looked at may give up its stream. */
const inactivityDelaySec = 120;

/**
 * The reasons OFREP allows. That no rule held is the outcome of a dynamic evaluation too; what decided stands in the metadata.
 */
const reasons: Readonly<Record<EvaluationReason, string>> = {
  static: 'STATIC',
  targeting_match: 'TARGETING_MATCH',
  split: 'SPLIT',
  default: 'TARGETING_MATCH',
  disabled: 'DISABLED',
};

export function createOfrep({ sets, usage }: { readonly sets: FlagSets; readonly usage: Pick<UsageKeeper, 'count'> }): Ofrep {
  const contexts = createRememberedContexts({ characters: contextCharacters });

  const count = ({ environment, service, release }: Evaluator, evaluation: Evaluation, as: CountedEvaluation['as']): void => {
    const served = evaluation.ok ? { variant: evaluation.variant, matched: evaluation.matched } : undefined;
    usage.count(environment, evaluation.key, { service, release, as, ...(served && { served }) });
  };

  const freshSet = async (environment: string, wanted: string | undefined): Promise<FlagSet> => {
    const set = await sets.of(environment);
    return wanted !== undefined && /^\d{1,15}$/.test(wanted) && Number(wanted) > set.revision ? sets.refresh(environment) : set;
  };

  return {
    single: async (evaluator, encoded, body) => {
      const key = decoded(encoded);
      if (key === undefined) return failure(400, encoded, 'PARSE_ERROR', 'The key is not percent-encoded UTF-8.');
      const read = readContext(body);
      if (!read.ok) return failure(400, key, read.errorCode, read.errorDetails);
      const set = await sets.of(evaluator.environment);
      const flag = set.flags.get(key);
      if (flag === undefined) return failure(404, key, 'FLAG_NOT_FOUND', `There is no flag '${key}' in '${evaluator.environment}'.`);
      const evaluation = flag.evaluate(read.context);
      count(evaluator, evaluation, 'evaluation');
      return { status: evaluation.ok ? 200 : 400, headers: {}, body: JSON.stringify(evaluationBody(set, evaluation)) };
    },

    bulk: async (evaluator, { body, ifNoneMatch, flagConfigEtag, eventStream }): Promise<OfrepAnswer> => {
      const set = await freshSet(evaluator.environment, flagConfigEtag);
      const read = contexts.evaluated(body, set);
      if (!read.ok)
        return { status: 400, headers: {}, body: JSON.stringify({ errorCode: read.errorCode, errorDetails: read.errorDetails }) };
      const { evaluations, canonical } = read;
      // Counted also when the client has them already: it goes on using them.
      for (const evaluation of evaluations) count(evaluator, evaluation, 'fetch');
      const headers = { etag: etagOf(set, canonical) };
      if (matches(ifNoneMatch, headers.etag)) return { status: 304, headers };
      const flags = evaluationTexts(set, evaluations).join(',');
      const eventStreams = [{ type: 'sse', endpoint: { requestUri: eventStream }, inactivityDelaySec }];
      const rest = `"eventStreams":${JSON.stringify(eventStreams)},"metadata":${JSON.stringify(metadataOf(set))}`;
      return { status: 200, headers, body: `{"flags":[${flags}],${rest}}` };
    },
  };
}

/** What a stream tells when a set has changed. */
export function changeMessage(set: FlagSet): { readonly id: string; readonly data: JsonObject } {
  const { revision, changedAt } = set;
  const lastModified = changedAt === undefined ? undefined : Math.floor(Date.parse(changedAt) / 1_000);
  return {
    id: idOf(set),
    data: { type: 'refetchEvaluation', etag: String(revision), ...(lastModified !== undefined && { lastModified }) },
  };
}

/**
 * The revision after which a client is told, by the id of the last event it has seen. Who has seen nothing is told at once, since something
 * may have changed between its first answer and its stream; so is who has seen what never was here, because the state was restored.
 */
export function lastSeen(id: string | undefined, set: FlagSet): number {
  const [, seen] = /^(\d{1,15})-[0-9a-f]{16}$/.exec(id ?? '') ?? [];
  if (seen === undefined || Number(seen) > set.revision) return -1;
  return Number(seen) === set.revision && id !== idOf(set) ? -1 : Number(seen);
}

function idOf({ revision, digest }: FlagSet): string {
  return `${revision}-${digest}`;
}

/** Made once for each outcome under a set, of which a flag has a few. */
function evaluationTexts(set: FlagSet, evaluations: readonly Evaluation[]): readonly string[] {
  const known = texts.get(set) ?? new Map<Evaluation, string>();
  texts.set(set, known);
  return evaluations.map((evaluation) => {
    const text = known.get(evaluation) ?? JSON.stringify(evaluationBody(set, evaluation));
    if (evaluation.ok) known.set(evaluation, text);
    return text;
  });
}

const texts = new WeakMap<FlagSet, Map<Evaluation, string>>();

function evaluationBody(set: FlagSet, evaluation: Evaluation): JsonObject {
  if (!evaluation.ok) {
    const { key, errorCode, errorDetails } = evaluation;
    return { key, errorCode, errorDetails };
  }
  const { key, value, variant, reason, matched } = evaluation;
  return { key, value, variant, reason: reasons[reason], metadata: { ...metadataOf(set), matched } };
}

/** By the names of OpenTelemetry's conventions for flags. */
function metadataOf({ environment, digest }: FlagSet): JsonObject {
  return { flagSetId: environment, version: digest };
}

function failure(status: 400 | 404, key: string, errorCode: string, errorDetails: string): OfrepAnswer {
  return { status, headers: {}, body: JSON.stringify({ key, errorCode, errorDetails }) };
}

/** Two answers are the same when flags and context are. */
function etagOf({ environment, digest }: FlagSet, canonicalContext: string): string {
  const told = `[${canonicalJson(environment)},${canonicalJson(digest)},${canonicalContext}]`;
  return `"${digestText(told).slice('sha256:'.length, 'sha256:'.length + 32)}"`;
}

/** RFC 9110, section 13.1.2: a list, compared weakly. Clients that lost the quotes are understood too. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const given = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return given.some((tag) => tag === '*' || tag === etag || `"${tag}"` === etag);
}

function decoded(key: string): string | undefined {
  try {
    return decodeURIComponent(key);
  } catch {
    return undefined;
  }
}
