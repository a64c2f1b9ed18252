import { hash } from 'node:crypto';
import type { Clock } from '../effects/clock.ts';
import type { Store } from '../store/store.ts';
import { createServiceDocuments } from './service-documents.ts';
import { type ServiceState, targetGeneration } from './service-state.ts';

/** Whose token somebody shows. */
export interface ServiceIdentity {
  readonly address: string;
  readonly environment: string;
  readonly name: string;
  /** Releases of which instances may be running; a claim to run another one is false. */
  readonly releases: ReadonlySet<string>;
  /** The release of an instance that does not say which it runs; undefined while there are several. */
  readonly release: string | undefined;
}

export interface ServiceIdentities {
  /** The service whose SLUICE_TOKEN this is. */
  ofToken(token: string): Promise<ServiceIdentity | undefined>;
  ofAddress(address: string): Promise<ServiceIdentity | undefined>;
}

/** For how long what was read is trusted: a token ends within this time of its service. */
const trustedMs = 250;
/** The same for a token that is not among what was read: a service may have come since, or somebody guesses. */
const distrustedMs = 25;
/** 256 random bits as base64url. */
const tokenPattern = /^[\w-]{43}$/;

/** Reads the services a few times a second at most, and goes on with what it knows while the store is away. */
export function createServiceIdentities({ store, clock }: { readonly store: Store; readonly clock: Clock }): ServiceIdentities {
  const documents = createServiceDocuments(store);
  let known: { readonly at: number; readonly byDigest: ReadonlyMap<string, ServiceIdentity> } | undefined;
  let reading: Promise<ReadonlyMap<string, ServiceIdentity>> | undefined;

  const read = async (): Promise<ReadonlyMap<string, ServiceIdentity>> => {
    const states = (await documents.list()).filter(({ mode }) => mode !== 'removed');
    const byDigest = new Map(states.map((state) => [state.token.digest, identityOf(state)]));
    known = { at: clock.monotonic(), byDigest };
    return byDigest;
  };

  const identities = async (withinMs = trustedMs): Promise<ReadonlyMap<string, ServiceIdentity>> => {
    if (known !== undefined && clock.monotonic() - known.at < withinMs) return known.byDigest;
    reading ??= read().finally(() => (reading = undefined));
    return reading.catch((error: unknown) => {
      if (known === undefined) throw error;
      return known.byDigest;
    });
  };

  return {
    // Looked up by its digest: how long that takes tells nothing about a token.
    ofToken: async (token) => {
      if (!tokenPattern.test(token)) return undefined;
      const digest = hash('sha256', token, 'hex');
      return (await identities()).get(digest) ?? (await identities(distrustedMs)).get(digest);
    },
    ofAddress: async (address) => [...(await identities()).values()].find((identity) => identity.address === address),
  };
}

function identityOf(state: ServiceState): ServiceIdentity {
  const { address, environment, name, revisions, instances } = state;
  const releaseOf = (generation: number | undefined): string | undefined =>
    revisions.find((revision) => revision.generation === generation)?.release;
  const running = new Set(instances.flatMap(({ generation }) => releaseOf(generation) ?? []));
  const only = running.size > 1 ? undefined : ([...running][0] ?? releaseOf(targetGeneration(state)));
  return { address, environment, name, releases: new Set(revisions.map(({ release }) => release)), release: only };
}
