import { chunkCases } from './chunk-cases.ts';
import type { CorpusCase } from './corpus-case.ts';
import { framingCases } from './framing-cases.ts';
import { headCases } from './head-cases.ts';
import { sequenceCases } from './sequence-cases.ts';

/** Malformed, ambiguous and merely odd HTTP/1: what a hostile client may send, with what has to become of it. */
export const corpus: readonly CorpusCase[] = [...framingCases, ...chunkCases, ...headCases, ...sequenceCases];
