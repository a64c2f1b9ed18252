import type { Digest } from '../digest/digest.ts';
import type { JsonObject } from '../digest/json.ts';
import type { Address } from '../stack/stack.ts';

/**
 * Everything that changes a service's behaviour, by value or by digest. Two services of equal content have equal digests; any change to
 * one word of it is another release. `environment` holds the declared strings: a secret is in it only as its reference.
 */
export interface ReleaseContent {
  /** Either it or `image`. */
  readonly source?: Digest;
  readonly image?: Digest;
  /** Empty for an image's own. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly prompts?: Digest;
  readonly model?: JsonObject;
  readonly policy?: Digest;
  readonly api?: Digest;
  readonly migrations?: Digest;
}

/** Immutable; one document of the store's collection `releases`, keyed `environment/service/id`. */
export interface Release {
  /** First 12 hex digits of the digest, with the prefix `r-`. */
  readonly id: string;
  readonly digest: Digest;
  readonly service: Address;
  /** The declared semantic version. A label: it takes no part in the digest. */
  readonly version: string;
  readonly content: ReleaseContent;
  /** What its image was called when it was released. A label, as the version is. */
  readonly image?: string;
  /** Absolute folder with the release's own copy of its files; instances start here, whatever happens to the stack's folder. */
  readonly directory: string;
  readonly createdAt: string;
}
