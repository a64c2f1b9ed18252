import { sluiceError } from '../errors/sluice-error.ts';
import type { Answers } from '../rollout/simulation/answers.ts';
import type { Behaviour } from '../rollout/simulation/memory-workloads.ts';
import { parseDuration } from '../stack/fields/duration.ts';
import type { SourceAnswer } from './source-answer.ts';

/** What is wrong with the candidate; nothing of it: nothing is. */
export interface Fault {
  /** Share of its answers that fail. */
  readonly errorRate?: number;
  /** How many times stable's latency it takes. */
  readonly latency?: number;
  /** Share of all decisions that move from stable's commonest to its rarest. */
  readonly decisions?: number;
  /** Each instance ends by itself so long (ms) after it was started. */
  readonly crashAfterMs?: number;
  readonly neverReady?: boolean;
  /** What sources beside the gateway say of it. */
  readonly sources?: readonly SourceAnswer[];
}

const shifted = 0.3;
const crashMs = 10_000;
const faultNames = ['error_rate=0.05', 'latency=2x', 'decisions=shift', 'crash', 'never_ready', 'none'] as const;

/** `error_rate=0.05`, `latency=2x`, `decisions=shift` or `=0.2`, `crash` or `=30s`, `never_ready`, `none`; several, joined by commas. Throws `usage`. */
export function parseFault(text: string): Fault {
  const parts = text.split(',').map((part) => parsePart(part.trim(), text));
  return Object.assign({}, ...parts) as Fault;
}

function parsePart(part: string, whole: string): Fault {
  const at = part.indexOf('=');
  const [name, value] = at < 0 ? [part, undefined] : [part.slice(0, at), part.slice(at + 1)];
  const refuse = (reason: string): never => {
    const where = part === whole ? '' : ` in '${whole}'`;
    throw sluiceError('usage', { reason: `--fault '${part}'${where}: ${reason}` });
  };
  switch (name) {
    case 'none':
      return value === undefined ? {} : refuse('none takes no value.');
    case 'error_rate':
      return { errorRate: numberIn(value, 0, 1) ?? refuse('error_rate is a share from 0 to 1, such as error_rate=0.05.') };
    case 'latency':
      return { latency: factorOf(value) ?? refuse('latency is a factor from 0.01x to 100x, such as latency=2x.') };
    case 'decisions':
      if (value === 'shift') return { decisions: shifted };
      return {
        decisions: numberIn(value, 0, 1) ?? refuse('decisions is shift, or the share of decisions that move, such as decisions=0.2.'),
      };
    case 'crash': {
      const after = value === undefined ? crashMs : parseDuration(value);
      return { crashAfterMs: after !== undefined && after > 0 ? after : refuse('crash takes the time until it ends, such as crash=30s.') };
    }
    case 'never_ready':
      return value === undefined ? { neverReady: true } : refuse('never_ready takes no value.');
  }
  return refuse(`there is no such fault; there are ${faultNames.join(', ')}.`);
}

/** How the candidate answers, by how stable does. */
export function answersWith(fault: Fault, stable: Answers): Answers {
  const { errorRate = stable.errorRate, latency = 1, decisions = 0 } = fault;
  return { ...stable, errorRate, medianMs: stable.medianMs * latency, decisions: moved(stable.decisions, decisions) };
}

/** How the candidate's instances behave, by how stable's do. */
export function behaviourWith({ crashAfterMs, neverReady }: Fault, stable: Behaviour): Behaviour {
  const { readyAfter: _, ...silent } = stable;
  const started = neverReady === true ? silent : stable;
  return crashAfterMs === undefined ? started : { ...started, exitsAfter: crashAfterMs };
}

/** At most as much as the commonest has. */
function moved(decisions: Answers['decisions'], share: number): Answers['decisions'] {
  const ordered = Object.entries(decisions).toSorted(([, left], [, right]) => right - left);
  const [first, last] = [ordered[0], ordered.at(-1)];
  if (share === 0 || !first || !last || first === last) return decisions;
  const moving = Math.min(share, first[1]);
  return { ...decisions, [first[0]]: first[1] - moving, [last[0]]: last[1] + moving };
}

function numberIn(text: string | undefined, from: number, to: number): number | undefined {
  const number = Number(text);
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) && number >= from && number <= to ? number : undefined;
}

function factorOf(text: string | undefined): number | undefined {
  const number = text?.endsWith('x') === true ? numberIn(text.slice(0, -1), 0.01, 100) : undefined;
  return number;
}
