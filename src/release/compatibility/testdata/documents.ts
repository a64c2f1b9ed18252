import type { Json, JsonObject } from '../../../digest/json.ts';

/** Descriptions of an API with one operation, `POST /things/{id}`, made of the one part that a test is about. */
export interface Document {
  readonly version?: string;
  readonly request?: Json;
  readonly response?: Json;
  readonly parameters?: readonly Json[];
  readonly operation?: JsonObject;
  readonly path?: string;
  readonly schemas?: JsonObject;
  readonly rest?: JsonObject;
}

export function described({ version = '3.1.0', ...parts }: Document): JsonObject {
  const { request, response, parameters, operation, path = '/things/{id}', schemas = {}, rest } = parts;
  const { components, ...top } = rest ?? {};
  return {
    openapi: version,
    paths: {
      [path]: {
        post: {
          ...(parameters && { parameters }),
          ...(request !== undefined && { requestBody: { content: { 'application/json': { schema: request } } } }),
          responses: { '200': { ...(response !== undefined && { content: { 'application/json': { schema: response } } }) } },
          ...operation,
        },
      },
    },
    components: { schemas, ...(components as JsonObject | undefined) },
    ...top,
  };
}

/** An object with these properties. */
export function object(properties: JsonObject, rest: JsonObject = {}): JsonObject {
  return { type: 'object', properties, ...rest };
}

export const query = (schema: Json, rest: JsonObject = {}): JsonObject => ({ name: 'q', in: 'query', schema, ...rest });

export const reference = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });
