import type { LogSampling } from '../log/sampling.ts';
import { quoted } from './quoting.ts';

/**
 * What HAProxy tells of single requests, one line each, on its standard output: a pipe, into which it writes without waiting; what does not fit
 * is dropped and counted (`DroppedLogs`). Its own times are of whole milliseconds, so that there are three of the clock in microseconds: when
 * the head of the request was whole, when that of the answer was, and the end. See log-line.ts.
 */
const logFormat = [
  '+%b/%s',
  '%[var(txn.head)]',
  '%[date(0,us)]',
  '%ST',
  '%U',
  '%B',
  '%ts',
  '%rc',
  '%Tw',
  '%Tr',
  '%Ta',
  '%ID',
  '%ci',
  '%HM',
  '%[var(txn.told)]',
  '%HPO',
];

/** Longest line: of paths and queries HAProxy keeps 1,024 bytes. */
const lineBytes = 4_096;

/** Of a frontend. */
export const logRules: readonly string[] = [
  `log stdout len ${lineBytes} format raw local0 info`,
  `log-format ${quoted(logFormat.join(' '))}`,
];

/** Who passes on tells of nothing: the engine behind does. */
export const untold = 'http-request set-log-level silent';

/**
 * For the requests that are told of: when they came, how many do in this second, and whom they asked. They are the last of the rules for
 * requests, and the others skip them.
 */
export function toldRules({ rates, oneOf }: LogSampling): readonly string[] {
  return [
    ...rates.map((rate) => `http-request allow if { be_sess_rate gt ${rate} } { rand(${oneOf}) gt 0 }`),
    'http-request set-var-fmt(txn.told) "%[date(0,us)],%[be_sess_rate],%[req.hdr(host)]"',
  ];
}

/** The last rules for answers of instances. Of errors all are told; those HAProxy answers by itself do not come here. */
export const toldAnswerRules: readonly string[] = [
  untold.replace('http-request', 'http-response'),
  'http-response allow if !{ var(txn.told) -m found } { status lt 500 }',
  'http-response set-log-level info',
  'http-response set-var(txn.head) date(0,us)',
];
