import { z } from '@hono/zod-openapi';
import { endpoint } from './endpoint.ts';
import { ofService, service } from './parameters.ts';
import { identifier } from './schemas/names.ts';
import { releaseDifference, releases, releaseView } from './schemas/release.ts';

const ofRelease = ofService.extend({ id: identifier });

/** The rows of the route table about releases. */
export const releaseEndpoints = {
  listReleases: endpoint({
    method: 'get',
    path: `${service}/releases`,
    access: { permission: 'read' },
    summary: 'The releases of a service that are kept, newest first',
    status: 200,
    parameters: ofService,
    answer: releases,
  }),
  getRelease: endpoint({
    method: 'get',
    path: `${service}/releases/{id}`,
    access: { permission: 'read' },
    summary: 'One release: what it is made of, and what it changed',
    status: 200,
    parameters: ofRelease,
    answer: releaseView,
  }),
  compareReleases: endpoint({
    method: 'get',
    path: `${service}/releases/{id}/difference`,
    access: { permission: 'read' },
    summary: 'What is different in a release from another one; from the one before it unless told otherwise',
    status: 200,
    parameters: ofRelease,
    query: z.strictObject({ from: identifier.optional() }),
    answer: releaseDifference,
  }),
};
