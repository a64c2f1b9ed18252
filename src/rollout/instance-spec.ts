import { join } from 'node:path';
import { isJsonObject } from '../digest/json.ts';
import type { OutputResolver } from '../engine/output-resolver.ts';
import type { InstanceSpec } from '../providers/workloads.ts';
import type { Vault } from '../secrets/vault.ts';
import { outputExpressions } from '../stack/interpolate.ts';
import type { Instance, Revision, ServiceState } from './service-state.ts';
import type { Traffic } from './traffic.ts';

export interface InstanceSpecPorts {
  readonly resolver: OutputResolver;
  readonly vault: Vault;
  readonly traffic: Traffic;
  /** Where instances ask for flags; undefined for nowhere. */
  readonly evaluationUrl?: () => string | undefined;
}

/** Everything the instance is to be started with, secrets resolved now. */
export async function instanceSpec(
  state: ServiceState,
  instance: Instance,
  revision: Revision,
  { resolver, vault, traffic, evaluationUrl }: InstanceSpecPorts,
): Promise<InstanceSpec> {
  const resolved = await resolver.resolve(state.environment, { command: revision.command, env: revision.env });
  const command = Array.isArray(resolved['command']) ? resolved['command'].map(String) : [];
  const token = vault.open(state.token.sealed);
  const own = stringValues(resolved['env']);
  return {
    id: instance.id,
    service: state.address,
    release: revision.release,
    command,
    directory: codeFolder(revision),
    ...(revision.image && { image: revision.image }),
    environment: {
      ...evaluationVariables(own, { url: evaluationUrl?.(), token, release: revision.release }),
      ...own,
      ...revision.releaseEnv,
      SLUICE_ENVIRONMENT: state.environment,
      SLUICE_SERVICE: state.name,
      SLUICE_RELEASE: revision.release,
      SLUICE_INSTANCE: instance.id,
      SLUICE_TOKEN: token,
      SLUICE_SERVICES_URL: await traffic.internalUrl(),
    },
    ...(revision.machine && { machine: revision.machine }),
    ...(revision.limits && { limits: revision.limits }),
  };
}

/** Where a release's own commands run: beside its code, or where its files are when the code is in an image. */
export function codeFolder({ directory, image }: Pick<Revision, 'directory' | 'image'>): string {
  return image ? directory : join(directory, 'source');
}

/**
 * What OpenFeature's providers read (OFREP, ADR 7): an endpoint, and headers that are decoded as a whole. A service that names a flag
 * service of its own gets neither, so that no other one is shown its token.
 */
function evaluationVariables(
  own: Readonly<Record<string, string>>,
  { url, token, release }: { readonly url: string | undefined; readonly token: string; readonly release: string },
): Readonly<Record<string, string>> {
  if (url === undefined || own['OFREP_ENDPOINT'] !== undefined || own['OFREP_HEADERS'] !== undefined) return {};
  return { OFREP_ENDPOINT: url, OFREP_HEADERS: `Authorization=Bearer%20${token},X-Sluice-Release=${release}` };
}

/**
 * Every value of the revision's interpolations, and the service's token: what must not appear in a log that is shown. A URL's password
 * counts by itself too.
 */
export async function secretValues(state: ServiceState, revision: Revision, ports: InstanceSpecPorts): Promise<readonly string[]> {
  const expressions = outputExpressions({ command: revision.command, env: revision.env });
  const fields = Object.fromEntries(expressions.map(({ text }, index) => [String(index), text]));
  const resolved = await ports.resolver.resolve(state.environment, fields);
  const values = Object.values(resolved).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  return [...values.flatMap(withPassword), ports.vault.open(state.token.sealed)];
}

/** `text` with every one of the values masked. Values too short to be secrets are left alone, or nothing would remain readable. */
export function scrub(text: string, values: readonly string[]): string {
  const longestFirst = values.filter((value) => value.length >= 4).toSorted((left, right) => right.length - left.length);
  return longestFirst.reduce((scrubbed, value) => scrubbed.replaceAll(value, '[secret]'), text);
}

function withPassword(value: string): readonly string[] {
  const password = URL.parse(value)?.password ?? '';
  return password === '' ? [value] : [value, password, decodeURIComponent(password)];
}

function stringValues(value: unknown): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, typeof entry === 'string' ? entry : JSON.stringify(entry)]),
  );
}
