import { timestamp } from '../../effects/clock.ts';
import type { Json } from '../../digest/json.ts';
import type { HookAnswer, OutboxMessage } from '../../notifications/message.ts';
import { createNotificationDocuments } from '../../notifications/notification-documents.ts';
import { createOutbox } from '../../notifications/outbox.ts';
import { notificationEvents } from '../../stack/kinds/notification.ts';
import type { Store } from '../../store/store.ts';
import type { ServiceState } from '../service-state.ts';
import type { World } from './world.ts';

/** Hooks by how they answer. */
export const hookNames = ['agreeing', 'late', 'refusing'] as const;

/** Somebody who is told of rollouts and answers hooks, and keeps in mind what was told. */
export interface Receiver {
  stop(): void;
  /** What should not have been told, or should have been; empty when all is well. */
  wrongs(state: ServiceState | undefined): readonly string[];
}

/** What hooks have answered, by generation of the candidate and key of the hook. */
export type AnsweredLog = Map<string, Set<HookAnswer['outcome']>>;

type RolloutFactsOf = Extract<OutboxMessage['body'], { readonly rollout: unknown }>;

const everyMs = 400;
const lateMs = 2_000;
const ends = new Set(['rollout.completed', 'rollout.failed', 'rollout.superseded', 'rollout.rolled_back']);

/** Delivers as the real worker does: what was delivered is taken out of the store, what a hook has answered is written to its message. */
export async function startReceiver(world: World, store: Store, answered: AnsweredLog): Promise<Receiver> {
  const outbox = createOutbox(store);
  const record = { environment: 'default', name: 'all', url: 'http://127.0.0.1/', format: 'json' as const, on: [...notificationEvents] };
  await createNotificationDocuments(store).write(record);
  const ended = new AbortController();
  const told = new Map<string, OutboxMessage>();
  const wrong: string[] = [];
  const seenAt = new Map<string, number>();

  function noteTold(message: OutboxMessage): void {
    if (told.has(message.id)) wrong.push(`6: ${message.body.type} was told twice, as ${message.id}`);
    told.set(message.id, message);
  }

  function waitedFor({ id }: OutboxMessage): number {
    const now = world.clock.monotonic();
    const since = seenAt.get(id) ?? now;
    seenAt.set(id, since);
    return now - since;
  }

  function noteAnswer({ body, target }: OutboxMessage, { outcome }: HookAnswer): void {
    if (!('rollout' in body)) return;
    const key = `${body.rollout.generation}/${target.name.slice(target.name.indexOf('/') + 1)}`;
    answered.set(key, (answered.get(key) ?? new Set<HookAnswer['outcome']>()).add(outcome));
  }

  async function deliver(): Promise<void> {
    for (const stored of await outbox.list()) {
      const { message } = stored;
      if (message.target.kind === 'notification') {
        noteTold(message);
        await store.transact([outbox.removal(stored)]).catch(() => undefined);
        continue;
      }
      const answer = message.answer ? undefined : answerOf(message, waitedFor(message));
      const value = { ...message, answer } as unknown as Json;
      const write = { operation: 'put', collection: 'outbox', key: message.id, value, ifVersion: stored.version } as const;
      // One that was withdrawn meanwhile needs no answer.
      if (!answer) continue;
      noteAnswer(message, answer);
      await store.transact([write]).catch(() => undefined);
    }
  }

  const loop = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await world.clock.sleep(everyMs, ended.signal).catch(() => undefined);
      await deliver();
    }
  };
  void loop();

  return {
    stop: () => ended.abort(),
    wrongs(state) {
      const mine = [...told.values()].filter(({ lane }) => state !== undefined && lane.endsWith(state.uid));
      for (const { generation, outcome, release, startedAt } of state?.rollouts ?? []) {
        const isOfIt = ({ rollout }: RolloutFactsOf): boolean =>
          rollout.generation === generation && rollout.startedAt === timestamp(startedAt);
        const types = mine.flatMap(({ body }) => ('rollout' in body && isOfIt(body) ? [body.type] : []));
        const started = types.filter((type) => type === 'rollout.started').length;
        const ending = types.filter((type) => ends.has(type)).length;
        if (started !== 1) wrong.push(`6: the beginning of the rollout of ${release} was told ${started} times`);
        if (ending !== (outcome === undefined ? 0 : 1)) wrong.push(`6: the end of the rollout of ${release} was told ${ending} times`);
      }
      return wrong;
    },
  };
}

function answerOf({ body }: OutboxMessage, waitedMs: number): HookAnswer | undefined {
  const name = body.type === 'hook' && 'hook' in body ? body.hook.name : '';
  if (name === 'late' && waitedMs < lateMs) return undefined;
  return name === 'refusing' ? { outcome: 'failed', reason: 'it says no' } : { outcome: 'passed' };
}
