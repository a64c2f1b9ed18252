import { jsonEquals, type Json, type JsonObject } from '../digest/json.ts';
import { type Clock, timestamp } from '../effects/clock.ts';
import { newId, type Random } from '../effects/random.ts';
import { type Problem, problem, sluiceError } from '../errors/sluice-error.ts';
import type { Applied, CreateRequest, Operation, Provider } from '../providers/provider.ts';
import type { ResourceState } from '../providers/resource-state.ts';
import type { FlagFields } from '../stack/kinds/flag.ts';
import type { ResolvedBlock } from '../stack/stack.ts';
import type { FlagDocuments } from './flag-documents.ts';
import type { FlagSets } from './flag-sets.ts';
import { type FlagDefinition, type FlagRecord, inWords } from './flag.ts';
import { orphaned } from './overriding.ts';
import { staleness } from './staleness.ts';
import type { UsageKeeper } from './usage-keeper.ts';

export interface FlagProviderDependencies {
  readonly documents: FlagDocuments;
  readonly sets: Pick<FlagSets, 'refresh'>;
  readonly usage: Pick<UsageKeeper, 'of' | 'forget'>;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Flags as resources. What the stack declares is applied; an override by an operator stays over it until it is cleared. It is no drift,
 * and a plan says that it is there.
 */
export function createFlagProvider({ documents, sets, usage, clock, random }: FlagProviderDependencies): Provider {
  const apply = async (request: CreateRequest, { by }: Pick<Operation, 'by'>): Promise<Applied> => {
    const { environment, name, declared } = request;
    const definition = definitionOf(request.fields);
    const now = timestamp(clock.now());
    const record = await documents.change(environment, name, (current) => {
      const lost = orphaned(current?.override, definition.variants);
      if (lost !== undefined) throw sluiceError('flag_override_orphaned', { flag: name, variant: lost });
      if (current !== undefined && jsonEquals(current.declared, declared) && jsonEquals(asJson(current.definition), asJson(definition)))
        return undefined;
      const id = current?.id ?? newId('flag', random);
      const after: FlagRecord = { createdAt: now, ...current, id, environment, name, declared, definition, changedAt: now };
      return { after, change: { action: 'applied', by: by ?? nobody } };
    });
    await sets.refresh(environment);
    return { id: record?.id ?? '', outputs: {} };
  };

  /** What a plan has to know of a flag that is there already. */
  const concerning = async (block: ResolvedBlock): Promise<readonly Problem[]> => {
    const { address, name, position } = block;
    const environment = environmentOf(address);
    const record = await documents.read(environment, name);
    if (record === undefined) return [];
    const where = { address, position };
    const lost = orphaned(record.override, definitionOf(block.fields).variants);
    if (lost !== undefined) return [problem('flag_override_orphaned', { flag: name, variant: lost }, where)];
    const { override } = record;
    const reasons = staleness(record, (await usage.of(environment)).get(name), clock.now());
    return [
      ...(override === undefined
        ? []
        : [problem('flag_overridden', { flag: name, serves: inWords(record), ...override }, { ...where, severity: 'warning' })]),
      ...(reasons.length === 0 ? [] : [problem('flag_stale', { flag: name, reason: reasons.join('; ') }, { ...where, severity: 'note' })]),
    ];
  };

  return {
    name: 'flags',
    kinds: ['flag'],
    replaceFields: () => [],

    async check(stack) {
      const blocks = stack.blocks.filter(({ kind }) => kind === 'flag');
      return [...blocks.flatMap(checkBlock), ...(await Promise.all(blocks.map(concerning))).flat()];
    },

    fingerprint: async () => ({}),

    async read({ environment, name, declared }) {
      const record = await documents.read(environment, name);
      if (record === undefined) return { status: 'absent' };
      const drift = Object.keys({ ...declared, ...record.declared })
        .filter((field) => !jsonEquals(declared[field], record.declared[field]))
        .map((field) => ({ field, applied: declared[field] ?? null, observed: record.declared[field] ?? null }));
      return { status: 'present', drift };
    },

    create: apply,
    update: apply,

    async lossOf({ address, environment, name }: ResourceState) {
      const record = await documents.read(environment, name);
      const used = Math.max(0, ...Object.values((await usage.of(environment)).get(name)?.variants ?? {}));
      return [
        ...(used > 0 && clock.now() - used < 86_400_000
          ? [problem('flag_in_use', { flag: name, at: timestamp(used) }, { severity: 'warning', address })]
          : []),
        ...(record?.override === undefined
          ? []
          : [problem('flag_override_lost', { flag: name, serves: inWords(record) }, { severity: 'warning', address })]),
      ];
    },

    async delete({ environment, name }, { by }) {
      await documents.change(
        environment,
        name,
        (current) => current && { after: undefined, change: { action: 'removed', by: by ?? nobody } },
      );
      await usage.forget(environment, name);
      await sets.refresh(environment);
    },

    // There is nothing that runs.
    suspend: async () => {},
    resume: async () => {},
  };
}

/** Of an apply that nobody asked for. */
const nobody = 'apply';

function definitionOf(fields: JsonObject): FlagDefinition {
  const { variants, default: fallback, rules } = fields as unknown as FlagFields;
  return { variants, default: fallback, rules };
}

function asJson(definition: FlagDefinition): Json {
  return definition;
}

function checkBlock(block: ResolvedBlock): readonly Problem[] {
  const { name, address, references } = block;
  const at = (path: string) => ({ address, position: block.positionOf(path) });
  // The value of a flag goes to every client: nothing may come into it from elsewhere.
  const [reference] = references;
  if (reference !== undefined) return [problem('flag_value_foreign', { flag: name, path: reference.path }, at(reference.path))];
  const { rules } = definitionOf(block.fields);
  const last = rules.findIndex(({ when }) => when === undefined || Object.keys(when).length === 0);
  if (last === -1 || last === rules.length - 1) return [];
  const unreachable = { flag: name, rule: last + 2, after: last + 1 };
  return [problem('flag_rule_unreachable', unreachable, { severity: 'warning', ...at(`rules.${last + 1}`) })];
}

function environmentOf(address: string): string {
  return address.slice(0, address.indexOf('/'));
}
