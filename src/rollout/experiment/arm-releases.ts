import type { JsonObject } from '../../digest/json.ts';
import type { CreateRequest } from '../../providers/provider.ts';
import { contentDigests, fileParts, readReleaseContent, type ResolveImage } from '../../release/release-content.ts';
import type { ServiceFields } from '../../stack/kinds/service.ts';
import { armFields, armFieldsOf, declaredArms } from './declared-experiment.ts';

/** Digests of the files an arm has instead of the service's, for a plan to compare; empty where the arms have none. */
export async function armFingerprints(fields: ServiceFields, root: string, resolveImage: ResolveImage): Promise<JsonObject> {
  const arms = declaredArms(fields).map(async (name): Promise<[string, JsonObject]> => {
    const own = fileParts.filter((part) => Object.hasOwn(fields.rollout.experiment?.arms[name] ?? {}, part));
    if (own.length === 0) return [name, {}];
    const digests = contentDigests(await readReleaseContent(armFields(fields, name), root, resolveImage));
    return [name, Object.fromEntries(own.flatMap((part) => (digests[part] === undefined ? [] : [[part, digests[part]]])))];
  });
  const found = (await Promise.all(arms)).filter(([, digests]) => Object.keys(digests).length > 0);
  return found.length === 0 ? {} : { arms: Object.fromEntries(found) };
}

/** The request as it would be for the service with what an arm has instead. */
export function armRequest(request: CreateRequest, name: string): CreateRequest {
  const { arms, ...digests } = request.fingerprint as JsonObject & { readonly arms?: Readonly<Record<string, JsonObject>> };
  return {
    ...request,
    fields: armFieldsOf(request.fields, name),
    declared: armFieldsOf(request.declared, name),
    fingerprint: { ...digests, ...arms?.[name] },
  };
}
