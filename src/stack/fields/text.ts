import { z } from 'zod';

/** Non-empty text without NUL, which no file name, argument or environment variable can carry. */
export function text(limit = 4096) {
  return z
    .string()
    .min(1, { error: 'text that is not empty' })
    .max(limit, { error: `at most ${limit} characters` })
    .refine((value) => !value.includes('\0'), { error: 'text without NUL characters' });
}

/** A command as its separate words: it is run as it stands and never given to a shell. */
export function argv() {
  return z
    .array(
      z
        .string()
        .max(32_768, { error: 'at most 32768 characters' })
        .refine((value) => !value.includes('\0'), { error: 'text without NUL characters' }),
    )
    .min(1, { error: 'a list with at least the program to run' })
    .refine((words) => words[0] !== '', { error: 'a list whose first word is the program to run' });
}

/** The path of a URL. */
export function urlPath() {
  return z
    .string()
    .regex(/^\/[^\s?#]*$/, { error: 'a URL path that starts with / and has no query' })
    .meta({ 'x-type': 'URL path' });
}

export function hostName() {
  return z
    .string()
    .max(253, { error: 'at most 253 characters' })
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/, {
      error: 'a host name in lower case such as support.localhost',
    })
    .meta({ 'x-type': 'host name' });
}

export function portNumber() {
  return z
    .int({ error: 'a port from 1 to 65535' })
    .min(1, { error: 'a port from 1 to 65535' })
    .max(65_535, { error: 'a port from 1 to 65535' });
}

/** A version by the rules of Semantic Versioning 2.0.0. */
export function semanticVersion() {
  return z
    .string()
    .max(128, { error: 'at most 128 characters' })
    .regex(/^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/, {
      error: 'a semantic version such as 1.0.0',
    })
    .meta({ 'x-type': 'semantic version' });
}

/** A whole number within bounds, both inclusive. */
export function whole(minimum: number, maximum: number) {
  const error = `a whole number from ${minimum} to ${maximum}`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

/** A number strictly between 0 and 1. */
export function fraction() {
  const error = 'a number between 0 and 1';
  return z.number({ error }).gt(0, { error }).lt(1, { error });
}

/** The name of an HTTP header. Case makes no difference. */
export function fieldName() {
  return z
    .string()
    .max(128, { error: 'at most 128 characters' })
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'the name of a header such as accept-language' })
    .meta({ 'x-type': 'header name' });
}
