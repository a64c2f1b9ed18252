import type { z } from '@hono/zod-openapi';
import type { Permission } from '../access/roles.ts';

/**
 * Who may call: anybody, or holders of a key whose role has the permission; with `services` also a service by its own token. There is no
 * other way and no default.
 */
export type AccessRule = { readonly public: true } | { readonly permission: Permission; readonly services?: true };

/** One operation of the API: everything that routing, access, validation, OpenAPI and the client need to know of it. */
export interface Endpoint {
  readonly method: 'get' | 'post' | 'delete';
  /** With parameters in braces: `/v1/runs/{id}`. */
  readonly path: string;
  readonly access: AccessRule;
  readonly summary: string;
  readonly status: 200 | 201 | 202;
  readonly parameters?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answer: z.ZodType;
  /**
   * How a change is recorded in the audit log. What is not a GET and says nothing is recorded as `METHOD path`: nobody can forget it.
   * `details`: fields of the body that may be recorded. `itself`: the handler does it, with more to say. `no_change`: there is none.
   */
  readonly audit?: { readonly action: string; readonly details?: readonly string[] } | 'itself' | 'no_change';
  /**
   * Takes a header Idempotency-Key: what is asked for under a key again is not done again. `demanded`: a request without one is refused, as
   * sent twice it would be carried out twice; `unless` names the field of the body with which it would not.
   */
  readonly idempotency?: 'accepted' | 'demanded' | { readonly unless: string };
  /** The answer may be a stream of server-sent events instead (`?follow=true`). */
  readonly streams?: true;
  /** The answer is text of this media type, or of another one that the request prefers. */
  readonly text?: string;
}

/** A text with its media type, as the answer of a row with `text`. */
export interface TextAnswer {
  readonly contentType: string;
  readonly body: string;
}

/** Keeps the exact type of one row, and demands all that `Endpoint` demands. */
export function endpoint<const Row extends Endpoint>(row: Row): Row {
  return row;
}
