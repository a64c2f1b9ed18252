import { stagesOf } from '../rollout/course.ts';
import { withinScale } from '../rollout/desired-state.ts';
import type { Question } from './question.ts';

/** What a reader of the result has to know about what was modelled. */
export function notesOn(question: Question): readonly string[] {
  const { service, fault } = question;
  const { rollout, replicas } = service;
  const { analysis } = rollout;
  const rules = analysis?.rules;
  const stages = stagesOf({ settings: { rollout, expose: [], calls: [], drainMs: 0 } });
  const unjudged = [
    ...(fault.errorRate !== undefined && !rules?.errors ? ['errors'] : []),
    ...(fault.latency !== undefined && !rules?.latency ? ['latency'] : []),
    ...(fault.decisions !== undefined && !rules?.decisions ? ['decisions'] : []),
  ];
  const passing = (analysis?.sources ?? []).map(({ name }) => name).filter((name) => !fault.sources?.some((each) => each.name === name));
  return [
    ...loadNotes(question),
    ...(passing.length > 0
      ? [`${passing.join(', ')}: taken to pass whenever asked. Say what else with --source ${passing[0]}=fail@30s.`]
      : []),
    ...(unjudged.length > 0 ? [`${rollout.strategy}: nothing compares ${unjudged.join(' and ')} of the candidate with stable's.`] : []),
    ...(rollout.stages && stages.some(({ approval }) => approval)
      ? ['Steps that wait for approval are approved when their time is over.']
      : []),
    ...(rollout.fullSet === true && replicas > 0 && rollout.smoke ? ['The smoke check passes whenever an instance answers.'] : []),
  ];
}

function loadNotes({ service, capacity, perSecond, baselineMs }: Question): readonly string[] {
  if (capacity === undefined) return [];
  const { replicas, scaling } = service;
  const first = scaling ? withinScale(replicas, { scaling }) : replicas;
  const used = Math.round((100 * perSecond) / (capacity * first));
  const idle = `half of its answers take no more than ${Math.round(baselineMs)} ms while it has little to do (--baseline-latency)`;
  const of = first === 1 ? '1 instance is' : `${first} instances are`;
  return [
    `Modelled load: an instance of stable carries ${capacity} requests a second (--capacity), so that ${of} ${used} % used; ${idle}.`,
  ];
}
