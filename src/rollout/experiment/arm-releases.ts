import type { JsonObject } from '../../digest/json.ts';
import type { CreateRequest } from '../../providers/provider.ts';
import { fileDigests, readReleaseContent, releaseDigest } from '../../release/release-content.ts';
import type { ServiceFields } from '../../stack/kinds/service.ts';
import { armFields, armFieldsOf, declaredArms } from './declared-experiment.ts';

/** What each arm is made of, by digest, for a plan to compare; empty for a service without an experiment. */
export async function armFingerprints(fields: ServiceFields, root: string): Promise<JsonObject> {
  const arms = declaredArms(fields).map(async (name) => {
    const content = await readReleaseContent(armFields(fields, name), root);
    return [name, { release: releaseDigest(content), ...fileDigests(content) }] as const;
  });
  const found = await Promise.all(arms);
  return found.length === 0 ? {} : { arms: Object.fromEntries(found) };
}

/** The request as it would be for the service with what an arm has instead. */
export function armRequest(request: CreateRequest, name: string): CreateRequest {
  const { arms } = request.fingerprint as { readonly arms?: Readonly<Record<string, JsonObject>> };
  return {
    ...request,
    fields: armFieldsOf(request.fields, name),
    declared: armFieldsOf(request.declared, name),
    fingerprint: arms?.[name] ?? {},
  };
}
