import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { JsonObject } from '../digest/json.ts';
import { timestamp } from '../effects/clock.ts';
import { sluiceError, toSluiceError } from '../errors/sluice-error.ts';
import type { Images } from '../providers/images.ts';
import type { Applied, CreateRequest, Drift, Operation, OutputValue, Provider } from '../providers/provider.ts';
import { materialise, releaseFolder, type MaterialisedParts } from '../release/materialise.ts';
import {
  declaredPath,
  contentDigests,
  fileParts,
  readReleaseContent,
  releaseContent,
  releaseDigest,
  releaseId,
} from '../release/release-content.ts';
import { createMigrationLinter } from '../release/migrations/lint.ts';
import { createReleaseRecords } from '../release/release-records.ts';
import type { Release, ReleaseContent } from '../release/release.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import { withChosenWay } from './auto/chosen-way.ts';
import { forecastRollout } from './auto/forecast.ts';
import { failedBefore } from './desired-state.ts';
import type { ResolvedBlock, ResolvedStack } from '../stack/stack.ts';
import { migrate, waitingInWords } from './migrate.ts';
import { checkMigrations } from './migration-check.ts';
import type { Migrations } from './migrations.ts';
import { type JudgedRelease, judgeRelease, type KnownReleases } from './release-check.ts';
import { checkFailedBefore, checkReturned } from './returned-check.ts';
import { checkService } from './service-check.ts';
import type { ServiceController, ServiceControllerDependencies } from './service-controller.ts';
import { armFingerprints, armRequest } from './experiment/arm-releases.ts';
import { checkArms, checkChosen } from './experiment/check-experiment.ts';
import { declaredArms } from './experiment/declared-experiment.ts';
import { desiredService, type MadeArm } from './service-specification.ts';
import { revisionOf, type ServiceState } from './service-state.ts';
import { exposedUrl, type Settlement } from './service-status.ts';
import { refusedInWords, takenBack } from './taken-back.ts';
import { stableRelease } from './under-way.ts';

export interface ServiceProviderDependencies extends Omit<ServiceControllerDependencies, 'resolver' | 'events' | 'workloads' | 'random'> {
  readonly controller: ServiceController;
  readonly migrations: Migrations;
  readonly images: Images;
  /** SLUICE_HOME: releases go to `releases/`. */
  readonly home: string;
}

/** Those that call a service are resumed after it, but no later than this. */
const resumeWaitMs = 30_000;
const never = new AbortController().signal;

/** `isAwaited`: something else comes after it in the same run. */
interface Circumstances {
  readonly isUpdate: boolean;
  readonly isAwaited: boolean;
}

type AddressedService = Pick<CreateRequest, 'declared' | 'environment' | 'name'>;

/** Services as resources: a release is made from the stack's files, and the controller is told to bring it into use. */
export function createServiceProvider(dependencies: ServiceProviderDependencies): Provider {
  const { controller, store, vault, traffic, clock, home, migrations, images } = dependencies;
  const resolveImage = (reference: string) => images.resolve(reference);
  const releases = createReleaseRecords(store);
  const lint = createMigrationLinter();

  async function makeRelease(
    request: CreateRequest,
    operation: Operation,
  ): Promise<{ release: Release; parts: MaterialisedParts; isNew: boolean }> {
    const fields = request.declared as unknown as ServiceFields;
    const content = plannedContent(fields, request.fingerprint) ?? (await readReleaseContent(fields, request.root, resolveImage));
    const digest = releaseDigest(content);
    const directory = releaseFolder(home, request, digest);
    const parts = await materialise(directory, { fields, root: request.root, content });
    const id = releaseId(digest);
    const { address: service, environment, name } = request;
    const known = await releases.find({ environment, service: name, id });
    const { image } = fields;
    if (image !== undefined && content.image !== undefined) {
      const pinned = { reference: image, digest: content.image };
      await images.keep({ environment, service: name, release: id }, pinned, (line) => operation.progress(line), operation.signal);
    }
    const createdAt = timestamp(clock.now());
    const label = { version: fields.version, ...(image !== undefined && { image }) };
    const release: Release = { id, digest, service, ...label, content, directory, createdAt: known?.createdAt ?? createdAt };
    await releases.record(environment, name, { ...release, createdAt });
    return { release, parts, isNew: known === undefined };
  }

  /** A release for each arm of the declared experiment. */
  async function makeArms(request: CreateRequest, operation: Operation): Promise<readonly (MadeArm & { readonly isNew: boolean })[]> {
    return Promise.all(
      declaredArms(declaredOf(request)).map(async (name) => {
        const own = armRequest(request, name);
        const { release, parts, isNew } = await makeRelease(own, operation);
        return { name, request: own, release, parts, isNew };
      }),
    );
  }

  /** An update does not wait for the end of a rollout: stable serves meanwhile, and a later release may supersede it. */
  async function apply(request: CreateRequest, operation: Operation, { isUpdate, isAwaited }: Circumstances): Promise<Applied> {
    const made = await makeRelease(request, operation);
    const { release, parts } = made;
    operation.progress(`release ${release.id}`);
    const arms = await makeArms(request, operation);
    const known = await controller.stateOf(request.address);
    const desired = await withChosenWay(desiredService(request, operation, { release, parts, arms, vault }), declaredOf(request), {
      state: known,
      release,
      find: (id) => releases.find({ environment: request.environment, service: request.name, id }),
    });
    const before = failedBefore(known, desired);
    if (before !== undefined) throw sluiceError('release_failed_before', { service: request.address, release: release.id, reason: before });
    const { chosen } = desired.settings.rollout;
    if (chosen) operation.progress(chosen.because);
    const waiting = await migrate(request, release, operation, { migrations, releases }).catch(async (error: unknown) => {
      // What its database was not brought to cannot be started: it is not to be kept as what can.
      for (const { release: tried, isNew } of [made, ...arms]) if (isNew) await releases.forget(request.environment, request.name, tried);
      if (release.content.image !== undefined) await forgetImages(request);
      throw error;
    });
    const state = await controller.setDesired(desired);
    const { address: service } = request;
    const id = `${state.name}-${state.uid}`;
    let told = '';
    const progressOn = (watched: Operation) => (line: string) => {
      if (line !== told) watched.progress(line);
      told = line;
    };
    const progress = progressOn(operation);

    const finish = async (last: Operation): Promise<Applied> => {
      const now = await controller.stateOf(service);
      const inUse = now && stableRelease(now);
      if (!now || inUse === undefined) throw sluiceError('rollout_superseded', { service, release: release.id });
      const hadImage = (await releases.list(request.environment, request.name)).some(({ content }) => content.image !== undefined);
      await releases.prune(request.environment, request.name, releasesInUse(now));
      if (hadImage) await forgetImages(request);
      const left = await migrate(request, release, last, { migrations, releases }, waiting);
      for (const line of waitingInWords(left)) last.progress(line);
      return { id, outputs: await outputsOf(request, inUse) };
    };
    const generation = state.candidate?.generation;
    if (isUpdate && generation !== undefined) {
      const beginning = await controller.waitUntilBegun(service, operation.signal, progress, { isAwaited });
      demandReady(beginning, service, release);
      const begun = await controller.stateOf(service);
      if (begun && beginning.outcome === 'under way') {
        const end = async (watched: Operation): Promise<void> => {
          demandReady(await controller.waitForEnd(service, generation, watched.signal, progressOn(watched)), service, release);
        };
        return { id, outputs: await outputsOf(request, stableRelease(begun) ?? release.id), goesOn: { end, finish } };
      }
    }
    demandReady(await controller.waitFor(service, operation.signal, progress), service, release);
    const settled = await controller.stateOf(service);
    if (!settled || !runs(settled, release.id)) throw sluiceError('rollout_superseded', { service, release: release.id });
    return finish(operation);
  }

  /** Images of releases that are no longer kept. What cannot be done while the engine is away is done the next time. */
  async function forgetImages({ environment, name }: Pick<CreateRequest, 'environment' | 'name'>): Promise<void> {
    const kept = (await releases.list(environment, name)).map(({ id }) => id);
    await images.keepOnly({ environment, service: name }, kept).catch(() => undefined);
  }

  async function outputsOf(request: CreateRequest, release: string): Promise<Readonly<Record<string, OutputValue>>> {
    const open = Object.entries({ ...(await addressesOf(request)), release: { value: release } });
    return Object.fromEntries(open.map(([name, { value }]) => [name, { value, secret: false }]));
  }

  /** Where the service is reached at this moment: its gateway may have had to take other ports since it was applied. */
  async function addressesOf({ declared, environment, name }: AddressedService): Promise<Record<string, { readonly value: string }>> {
    const { expose } = declared as unknown as ServiceFields;
    const publicUrl = expose && exposedUrl(await traffic.publicUrl(environment), expose);
    return {
      url: { value: `${await traffic.internalUrl()}/${name}` },
      ...(publicUrl !== undefined && { public_url: { value: publicUrl } }),
    };
  }

  const judgements = new WeakMap<ResolvedBlock, Promise<JudgedRelease>>();

  /** Once for a stack, however often it is asked for. */
  function judged(block: ResolvedBlock, stack: ResolvedStack): Promise<JudgedRelease> {
    const known = judgements.get(block);
    if (known) return known;
    const judgement = releasesOf(block).then((about) => judgeRelease(block, stack, about));
    judgements.set(block, judgement);
    return judgement;
  }

  async function releasesOf({ address, name: service }: ResolvedBlock): Promise<KnownReleases> {
    const [environment = ''] = address.split('/');
    const find: KnownReleases['find'] = (id) => releases.find({ environment, service, id });
    const state = await controller.stateOf(address);
    const stable = state && revisionOf(state, state.stable);
    return { stable: stable && (await find(stable.release)), find, resolveImage };
  }

  return {
    name: 'service',
    kinds: ['service'],
    replaceFields: () => [],

    async check(stack) {
      const services = stack.blocks.filter(({ kind }) => kind === 'service');
      const found = services.map(async (block) => {
        const problems = await checkService(block, stack, resolveImage);
        // What cannot be read cannot be compared.
        if (problems.some(({ severity }) => severity === 'error')) return problems;
        const state = await controller.stateOf(block.address);
        const arms = [...(await checkArms(block, stack, resolveImage)), ...checkChosen(block, state)];
        const judgement = await judged(block, stack);
        return problems.concat(
          arms,
          await checkMigrations(block, stack, lint),
          judgement.problems,
          checkReturned(block, state, judgement.release),
          checkFailedBefore(block, takenBack(declaredOf({ declared: block.fields }), { ...judgement, state })),
        );
      });
      return (await Promise.all(found)).flat();
    },

    rolloutOf: async (block, stack) => {
      const fields = declaredOf({ declared: block.fields });
      const occasion = { ...(await judged(block, stack)), state: await controller.stateOf(block.address) };
      const forecast = forecastRollout(fields, occasion);
      const before = takenBack(fields, occasion);
      return forecast && before?.isTriedAgain === 'no' ? { ...forecast, refused: refusedInWords(before) } : forecast;
    },

    riskOf: async (block, stack) => (await judged(block, stack)).risk?.level,

    async fingerprint(block, stack) {
      const fields = declaredOf({ declared: block.fields });
      const digests = contentDigests(await readReleaseContent(fields, stack.root, resolveImage));
      return { ...digests, ...(await armFingerprints(fields, stack.root, resolveImage)) };
    },

    async read(resource) {
      const state = await controller.stateOf(resource.address);
      if (!state) return { status: 'absent' };
      const drift = driftOf(state, declaredOf(resource), resource.fingerprint);
      return { status: 'present', drift, outputs: await addressesOf(resource) };
    },

    create: (request, operation) => apply(request, operation, { isUpdate: false, isAwaited: true }),
    update: (request, operation) => apply(request, operation, { isUpdate: true, isAwaited: request.unawaited !== true }),

    async delete(resource, operation) {
      await controller.remove(resource.address);
      await controller.waitFor(resource.address, operation.signal, (line) => operation.progress(line));
      const had = (await releases.list(resource.environment, resource.name)).some(({ content }) => content.image !== undefined);
      await releases.removeAll(resource.environment, resource.name);
      if (had) await images.keepOnly({ environment: resource.environment, service: resource.name }, []).catch(() => undefined);
      await rm(dirname(releaseFolder(home, resource, 'sha256:')), { recursive: true, force: true });
    },

    async suspend(resource, signal = never) {
      await controller.suspend(resource.address);
      await controller.waitFor(resource.address, signal, () => undefined);
    },

    async resume(resource, signal = never) {
      await controller.resume(resource.address);
      await untilSettledOr(resource.address, signal);
    },
  };

  /** A service that does not come up again is its own concern: its state says so, and the others are resumed all the same. */
  async function untilSettledOr(service: string, signal: AbortSignal): Promise<void> {
    const settled = new AbortController();
    const over = new AbortController();
    const timer = clock.sleep(resumeWaitMs, settled.signal).then(
      () => over.abort(),
      () => undefined,
    );
    const waiting = controller.waitUntilServing(service, AbortSignal.any([signal, over.signal]));
    await waiting.catch((thrown: unknown) => {
      if (toSluiceError(thrown).code !== 'rollout_wait_cancelled') throw thrown;
    });
    settled.abort();
    await timer;
  }
}

function declaredOf({ declared }: Pick<CreateRequest, 'declared'>): ServiceFields {
  return declared as unknown as ServiceFields;
}

/** The content a plan was made of; absent when the fingerprint does not name all of it. */
function plannedContent(fields: ServiceFields, fingerprint: JsonObject): ReleaseContent | undefined {
  const isPinned = fields.image === undefined || fingerprint['image'] !== undefined;
  const isWhole = isPinned && fileParts.every((part) => declaredPath(fields, part) === undefined || fingerprint[part] !== undefined);
  return isWhole ? releaseContent(fields, fingerprint) : undefined;
}

/** A release that was taken back is no drift where a run has recorded that it failed, since what is recorded then still runs. */
function driftOf(state: ServiceState, declared: ServiceFields, fingerprint: JsonObject): readonly Drift[] {
  const drift: Drift[] = [];
  const { min, max } = declared.scaling ?? { min: declared.replicas, max: declared.replicas };
  if (state.replicas < min || state.replicas > max) drift.push({ field: 'replicas', applied: declared.replicas, observed: state.replicas });
  if (state.mode !== 'running') drift.push({ field: 'state', applied: 'running', observed: 'suspended' });
  else if (state.failure && !state.candidate) drift.push(...driftOfFailure(state, state.failure, plannedContent(declared, fingerprint)));
  return drift;
}

function driftOfFailure(
  state: ServiceState,
  failure: NonNullable<ServiceState['failure']>,
  content: ReleaseContent | undefined,
): readonly Drift[] {
  const stable = stableRelease(state);
  if (stable === undefined) return [{ field: 'state', applied: 'running', observed: 'failed' }];
  const recorded = content && releaseId(releaseDigest(content));
  const failed = revisionOf(state, failure.began ?? failure.generation)?.release ?? failure.release;
  if (recorded !== failed || runs(state, recorded)) return [];
  return [{ field: 'release', applied: failed, observed: stable, because: 'taken back by its rollout' }];
}

/** It itself, or the arm of its experiment that was promoted in its place. */
function runs(state: ServiceState, release: string): boolean {
  const stable = stableRelease(state);
  return stable === release || (state.chosen?.release === stable && state.chosen?.of === release);
}

/** Throws how a rollout ended, if not well. */
function demandReady(settlement: Settlement, service: string, { id: release }: Release): void {
  switch (settlement.outcome) {
    case 'ready':
    case 'under way':
      return;
    case 'failed':
      throw sluiceError('rollout_failed', { service, release, reason: settlement.reason, log: settlement.log });
    case 'suspended':
    case 'removed':
    case 'superseded':
      throw sluiceError('rollout_superseded', { service, release });
  }
}

function releasesInUse(state: ServiceState): ReadonlySet<string> {
  const arms = state.arms?.members.map(({ content }) => content) ?? [];
  return new Set([...state.revisions, ...(state.history ?? []), ...arms].map(({ release }) => release));
}
