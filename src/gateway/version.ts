import { createRequire } from 'node:module';

/** The version in package.json, which stands two folders above this file in a clone and in the package alike. */
export const gatewayVersion: string = (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
