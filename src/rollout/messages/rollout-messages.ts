import { type Clock, timestamp } from '../../effects/clock.ts';
import type { HookBody, NotificationBody, RolloutFacts } from '../../notifications/message-body.ts';
import { messageId } from '../../notifications/message.ts';
import type { NewMessage, Outbox } from '../../notifications/outbox.ts';
import type { Write } from '../../store/store.ts';
import { hasStages, stagesOf } from '../course.ts';
import { newCourse } from '../course-state.ts';
import { originOf } from '../experiment/arms.ts';
import type { HookAnswers } from '../hooks/hook.ts';
import { dueHooks } from '../hooks/stage-hooks.ts';
import type { Alongside } from '../service-documents.ts';
import { routeOf, shareOf } from '../service-route.ts';
import { revisionOf, type ServiceState } from '../service-state.ts';
import { type Transition, transitionsOf } from './transitions.ts';

/** Transitions in one step of a service are fewer. */
const messagesPerVersion = 1_000;

type DueHook = ReturnType<typeof dueHooks>[number];

/** What a service's document is written with: the messages its transitions cause, and no hook that nobody waits for. */
export interface RolloutMessages extends Alongside {
  /** How the hooks that are due were answered; undefined while none is due. */
  answersOf(state: ServiceState): Promise<HookAnswers | undefined>;
}

export function createRolloutMessages({ outbox, clock }: { readonly outbox: Outbox; readonly clock: Clock }): RolloutMessages {
  async function notifications(state: ServiceState, transitions: readonly Transition[], version: number): Promise<Write[]> {
    const writes: Write[] = [];
    for (const [index, transition] of transitions.entries()) {
      const order = version * messagesPerVersion + index;
      for (const receiver of await outbox.receivers(state.environment, state.name, transition.event)) {
        writes.push(outbox.entry(notificationOf(state, transition, { receiver, order, now: clock.now() })));
      }
    }
    return writes;
  }

  return {
    async writes(before, after, version) {
      const told = await notifications(after, transitionsOf(before, after), version);
      const [was, due] = [before ? dueHooks(before) : [], dueHooks(after)];
      const ids = new Set(due.map((hook) => hookId(after, hook)));
      const known = new Set(before ? was.map((hook) => hookId(before, hook)) : []);
      return [
        ...told,
        ...due.filter((hook) => !known.has(hookId(after, hook))).map((hook) => outbox.entry(hookMessage(after, hook, clock.now()))),
        ...[...known].filter((id) => !ids.has(id)).map((id) => outbox.withdrawal(id)),
      ];
    },

    written(writes) {
      if (writes.length > 0) outbox.announce();
    },

    async answersOf(state) {
      const due = dueHooks(state);
      if (due.length === 0) return undefined;
      const answers = await Promise.all(due.map(async (hook) => [hook.key, await outbox.answerOf(hookId(state, hook))] as const));
      return new Map(answers.flatMap(([key, answer]) => (answer ? [[key, answer] as const] : [])));
    },
  };
}

function notificationOf(
  state: ServiceState,
  { event, generation, what, message, reason, evidence }: Transition,
  { receiver, order, now }: { readonly receiver: string; readonly order: number; readonly now: number },
): NewMessage {
  const { address, environment, name, uid } = state;
  const target = { kind: 'notification', name: receiver } as const;
  const id = messageId({ address, uid, generation, what, target: `notification/${receiver}` });
  const rollout = factsOf(state, generation, now);
  const body: NotificationBody = {
    type: `rollout.${event}`,
    ...subject(state, id, now),
    message: `${name}: ${rollout.release} ${message}`,
    sequence: order,
    rollout,
    ...(reason !== undefined && { reason }),
    ...(evidence && evidence.length > 0 && { evidence: [...evidence] }),
  };
  return { id, target, environment, service: name, lane: `${environment}/${receiver}/${name}/${uid}`, order, createdAt: now, body };
}

/** Hooks wait for nobody and nobody waits for them but their rollout: each is a lane of its own. */
function hookMessage(state: ServiceState, hook: DueHook, now: number): NewMessage {
  const { environment, name } = state;
  const { settings, run, when, key } = hook;
  const id = hookId(state, hook);
  const rollout = factsOf(state, state.candidate?.generation ?? 0, now);
  const { url, secret, timeoutMs, retries } = settings;
  const body: HookBody = {
    type: 'hook',
    ...subject(state, id, now),
    message: `${name}: may ${rollout.release} go on? (${key})`,
    hook: { name: settings.name, when, round: run.round },
    rollout,
  };
  const target = { kind: 'hook', name: `${name}/${key}`, url, ...(secret !== undefined && { secret }), timeoutMs, retries } as const;
  return { id, target, environment, service: name, lane: id, order: 0, createdAt: now, body };
}

function hookId({ address, uid, candidate }: ServiceState, { key, run }: DueHook): string {
  return messageId({ address, uid, generation: candidate?.generation ?? 0, what: `hook#${run.round}`, target: `hook/${key}` });
}

function subject({ environment, name, address }: ServiceState, id: string, now: number) {
  return { id, time: timestamp(now), environment, service: name, address };
}

function factsOf(state: ServiceState, generation: number, now: number): RolloutFacts {
  const record = state.rollouts?.find((each) => each.generation === generation);
  const candidate = state.candidate && originOf(state.candidate) === generation ? state.candidate : undefined;
  const revision = revisionOf(state, candidate?.generation ?? generation);
  const { stage } = { ...newCourse, ...candidate?.course };
  const of = stagesOf(state).length;
  return {
    generation,
    release: (candidate ? undefined : record?.release) ?? revision?.release ?? '',
    version: record?.version ?? revision?.version ?? '',
    ...(record?.from !== undefined && { from: record.from }),
    strategy: record?.strategy ?? state.settings.rollout.strategy,
    startedAt: timestamp(record?.startedAt ?? candidate?.startedAt ?? now),
    ...(record?.by !== undefined && { by: record.by }),
    ...(record?.why !== undefined && { why: record.why }),
    ...(candidate &&
      hasStages(state) && {
        weight: Number(shareOf(routeOf(state), state, candidate.generation).toFixed(2)),
        stage: { current: Math.min(stage, of - 1) + 1, of },
      }),
  };
}
