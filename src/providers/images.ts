import type { Digest } from '../digest/digest.ts';

/** An image by what it is and not by what it is called at the moment. */
export interface PinnedImage {
  /** As declared: where it can be had. */
  readonly reference: string;
  /** Of its manifest when it is in a registry, else of its configuration: what `name@digest` and an image's id are made of. */
  readonly digest: Digest;
}

/** Container images: the port between a release and whoever runs it. Throws only SluiceErrors. */
export interface Images {
  /**
   * What a reference stands for at this moment. Changes nothing and fetches no content. Throws `image_not_found`, `engine_unreachable`,
   * `engine_failed`.
   */
  resolve(reference: string): Promise<Digest>;
  /**
   * Fetches the image unless it is there, and keeps it for as long as `release` of the service is kept. Idempotent. Throws also
   * `image_gone`.
   */
  keep(release: KeptFor, image: PinnedImage, progress: (line: string) => void, signal?: AbortSignal): Promise<void>;
  /** Keeps images for these releases of the service and for no others. Changes nothing where none was ever kept. */
  keepOnly(service: Omit<KeptFor, 'release'>, releases: readonly string[]): Promise<void>;
}

export interface KeptFor {
  readonly environment: string;
  readonly service: string;
  readonly release: string;
}
