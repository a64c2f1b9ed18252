import type { Allowance } from '../../stack/fields/allowance.ts';
import type { RolloutAction } from '../operate.ts';
import type { RolloutSettings, ScalingSettings } from '../service-state.ts';
import type { ModelledChange } from './auto-choice.ts';
import type { StrategyName } from './desired-release.ts';
import type { LineFault } from './faulty-line.ts';
import type { FlagAction } from './flag-people.ts';
import type { ReleaseName } from './releases.ts';

/** A release, and how it is to come into use. */
export interface Deployment {
  readonly release: ReleaseName;
  readonly replicas: number;
  readonly maxSurge: Allowance;
  readonly maxUnavailable?: Allowance;
  readonly strategy?: StrategyName;
  /** Instead of those of the strategy. */
  readonly rollout?: Partial<RolloutSettings>;
  /** The way is chosen by what is different, whatever else is said. */
  readonly auto?: ModelledChange;
  /** Load decides how many instances there are. */
  readonly scaling?: ScalingSettings;
}

export type Action =
  | (Deployment & { readonly type: 'deploy' })
  /** Two stacks are applied at the same moment. */
  | { readonly type: 'deploy_both'; readonly deployments: readonly [Deployment, Deployment] }
  | { readonly type: 'count_flag'; readonly id: string | undefined }
  | { readonly type: 'scale' | 'autoscale'; readonly replicas: number }
  | { readonly type: 'restart' | 'suspend' | 'resume' | 'remove' | 'restart_gateway' }
  | { readonly type: 'fail_gateway' | 'fail_store'; readonly fault: LineFault; readonly forMs: number }
  | { readonly type: 'kill_gateway'; readonly forMs: number }
  /** Another control plane takes the lead, and the one before lives on for so long. */
  | { readonly type: 'outlive'; readonly forMs: number }
  /** The clock of the control plane is set. */
  | { readonly type: 'jump_clock'; readonly byMs: number }
  /** With a key it may be sent again: alone it is done once, `twice` at the same moment too. */
  | { readonly type: 'operate'; readonly action: RolloutAction; readonly key?: string; readonly twice?: true }
  /** By two people who both see the same stage, which is so many before (after) the one there is. */
  | { readonly type: 'promote_seen'; readonly full: boolean; readonly off: number }
  /** To the so-manieth of the releases that are kept. */
  | { readonly type: 'rollback_kept'; readonly index: number }
  | FlagAction
  | { readonly type: 'kill_instance'; readonly index: number };

/** What of an action is told apart in the coverage of the stories. */
export function shortly(action: Action): string {
  switch (action.type) {
    case 'operate': {
      const { type } = action.action;
      const again = action.twice ? ', sent twice' : action.key === undefined ? '' : ', under a key';
      if (type !== 'promote')
        return `pressed: ${type}${type === 'rollback' && action.action.to !== undefined ? ' to a release' : ''}${again}`;
      return `pressed: promote${action.action.full ? ' to the whole' : ''}${action.action.arm === undefined ? '' : ' an arm'}${again}`;
    }
    case 'promote_seen':
      return `pressed: promote from a stage${action.off === 0 ? '' : ' there is not'}`;
    case 'rollback_kept':
      return 'pressed: rollback to a kept release';
    case 'fail_gateway':
      return `gateway ${action.fault}`;
    case 'fail_store':
      return `store ${action.fault}`;
    case 'restart_gateway':
      return 'gateway started anew';
    case 'kill_gateway':
      return 'gateway dead for a while';
    case 'jump_clock':
      return `clock set ${action.byMs < 0 ? 'back' : 'forward'}`;
    case 'outlive':
      return 'a control plane that lost the lead lives on';
    case 'deploy':
      return action.scaling ? 'service that scales by load' : 'service of a fixed size';
    case 'deploy_both':
      return 'two applies at once';
    case 'scale':
      return action.replicas === 0 ? 'asked: scale to nothing' : 'asked: scale';
    case 'touch_flag':
      return `flag ${action.how} by hand`;
    case 'roll_flag':
    case 'stop_flag':
    case 'autoscale':
    case 'restart':
    case 'suspend':
    case 'resume':
    case 'remove':
    case 'count_flag':
    case 'kill_instance':
      break;
  }
  return `asked: ${action.type.replaceAll('_', ' ')}`;
}

/** For people who follow a story. */
export function inWords(action: Action): string {
  const { type, ...details } = action;
  return `${type} ${JSON.stringify(details)}`;
}
