import type { Json, JsonObject } from '../../digest/json.ts';
import type { ApiChange } from './api-change.ts';
import { listOf, objectOf, resolve } from './document-parts.ts';
import type { Operation } from './operation.ts';

interface Credential {
  readonly name: string;
  /** The kind of credentials and where they are sent: what a client has to have, whatever it is called. */
  readonly means: string;
  readonly scopes: readonly string[];
}

/** Ways of being let in; each asks for all of its credentials, so an empty one lets anybody in. */
type Alternatives = readonly (readonly Credential[])[];

/** A client is asked for credentials that it was not asked for before. */
export function compareSecurity(before: Operation, after: Operation): readonly ApiChange[] {
  const path = `${before.name} security`;
  const [old, now] = [alternativesOf(before), alternativesOf(after)];
  const change = (credentials: readonly Credential[]): ApiChange => ({
    path,
    breaking: true,
    what: credentials.length === 0 ? 'credentials are now required' : `${labelOf(credentials)} no longer suffices`,
  });
  const shutOut = old.filter((credentials) => !suffices(credentials, now));
  const admitted = now.filter((credentials) => !suffices(credentials, old));
  const wider = admitted.map(
    (credentials): ApiChange => ({
      path,
      breaking: false,
      what: credentials.length === 0 ? 'credentials are no longer required' : `${labelOf(credentials)} suffices`,
    }),
  );
  return [...shutOut.map(change), ...(shutOut.length === 0 ? wider : [])];
}

function alternativesOf({ operation, document }: Operation): Alternatives {
  const declared = operation['security'] ?? document['security'];
  const alternatives = listOf(declared).map((each) =>
    Object.entries(objectOf(each)).map(([name, scopes]) => credential(name, scopes, document)),
  );
  // An empty list takes back what is said for all operations.
  return alternatives.length === 0 ? [[]] : alternatives;
}

function credential(name: string, scopes: Json, document: JsonObject): Credential {
  const scheme = objectOf(resolve(objectOf(objectOf(document['components'])['securitySchemes'])[name], document));
  const parts = [
    scheme['type'],
    scheme['in'],
    typeof scheme['name'] === 'string' ? scheme['name'].toLowerCase() : '',
    lower(scheme['scheme']),
  ];
  const means =
    scheme['type'] === undefined ? name : JSON.stringify([...parts, scheme['type'] === 'openIdConnect' ? scheme['openIdConnectUrl'] : '']);
  return { name, means, scopes: listOf(scopes).filter((scope) => typeof scope === 'string') };
}

function lower(value: Json | undefined): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
}

function suffices(credentials: readonly Credential[], wanted: Alternatives): boolean {
  return wanted.some((each) =>
    each.every(({ means, scopes }) =>
      credentials.some((own) => own.means === means && scopes.every((scope) => own.scopes.includes(scope))),
    ),
  );
}

function labelOf(credentials: readonly Credential[]): string {
  return credentials.map(({ name }) => name).join(' with ');
}
