import { stagesOf } from '../rollout/course.ts';
import type { Question } from './question.ts';

/** What a reader of the result has to know about what was modelled. */
export function notesOn({ service, fault }: Pick<Question, 'service' | 'fault'>): readonly string[] {
  const { rollout, replicas } = service;
  const rules = rollout.analysis?.rules;
  const stages = stagesOf({ settings: { rollout, expose: [], calls: [], drainMs: 0 } });
  const unjudged = [
    ...(fault.errorRate !== undefined && !rules?.errors ? ['errors'] : []),
    ...(fault.latency !== undefined && !rules?.latency ? ['latency'] : []),
    ...(fault.decisions !== undefined && !rules?.decisions ? ['decisions'] : []),
  ];
  return [
    ...(service.isScaled ? [`Scaling by load is not modelled: the instances stay ${replicas}. Try others with --replicas.`] : []),
    ...(service.unasked.length > 0 ? [`Not asked: ${service.unasked.join(', ')}. Only what the gateway counts is modelled.`] : []),
    ...(unjudged.length > 0 ? [`${rollout.strategy}: nothing compares ${unjudged.join(' and ')} of the candidate with stable's.`] : []),
    ...(rollout.stages && stages.some(({ approval }) => approval)
      ? ['Steps that wait for approval are approved when their time is over.']
      : []),
    ...(rollout.fullSet === true && replicas > 0 && rollout.smoke ? ['The smoke check passes whenever an instance answers.'] : []),
  ];
}
