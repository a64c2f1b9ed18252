import { type Digest, digestJson } from '../digest/digest.ts';
import { canonicalJson, type Json } from '../digest/json.ts';
import type { OutputValue } from '../providers/provider.ts';
import type { ResourceOutputs, ResourceState, StoredOutput } from '../providers/resource-state.ts';
import type { Vault } from '../secrets/vault.ts';

/** Outputs as they may be stored: secret ones sealed, as JSON text. */
export function storeOutputs(outputs: Readonly<Record<string, OutputValue>>, vault: Vault): ResourceOutputs {
  const stored = Object.entries(outputs).map(([name, { value, secret }]): [string, StoredOutput] => [
    name,
    secret ? { sealed: vault.seal(JSON.stringify(value)) } : { value },
  ]);
  return Object.fromEntries(stored);
}

export function openOutput(output: StoredOutput, vault: Vault): Json {
  return 'sealed' in output ? (JSON.parse(vault.open(output.sealed)) as Json) : output.value;
}

/** For use, never for storage or messages. */
export function openOutputs(outputs: ResourceOutputs, vault: Vault): Readonly<Record<string, Json>> {
  return Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, openOutput(output, vault)]));
}

export function digestOutput(output: StoredOutput, vault: Vault): Digest {
  return vault.fingerprint(canonicalJson(openOutput(output, vault)));
}

/** Changes whenever the resource is made anew, even if its provider gives it the same id again. */
export function digestIdentity({ id, createdAt }: ResourceState): Digest {
  return digestJson([id, createdAt]);
}

/** The named output; undefined for one that does not exist, also for names such as `constructor`. */
export function outputOf(state: ResourceState | undefined, name: string): StoredOutput | undefined {
  return state !== undefined && Object.hasOwn(state.outputs, name) ? state.outputs[name] : undefined;
}
