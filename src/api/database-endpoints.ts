import { endpoint } from './endpoint.ts';
import { ofService } from './parameters.ts';
import { databaseBackups, databaseOperation, databaseRestorePlan, restoreRequest } from './schemas/database.ts';
import { identifier } from './schemas/names.ts';

const ofDatabase = ofService;
const ofOperation = ofDatabase.extend({ id: identifier });

const database = '/v1/environments/{environment}/databases/{name}';

/** The rows of the route table about backups and restores of databases. */
export const databaseEndpoints = {
  listBackups: endpoint({
    method: 'get',
    path: `${database}/backups`,
    access: { permission: 'read' },
    summary: 'The base backups of a database and the times it can go back to',
    status: 200,
    parameters: ofDatabase,
    answer: databaseBackups,
  }),
  backUpDatabase: endpoint({
    method: 'post',
    path: `${database}/backups`,
    access: { permission: 'operate' },
    summary: 'Begins a base backup',
    status: 202,
    parameters: ofDatabase,
    answer: databaseOperation,
    audit: 'itself',
  }),
  planRestore: endpoint({
    method: 'post',
    path: `${database}/restore-plans`,
    access: { permission: 'operate' },
    summary: 'Whether and how a database can go back to a time; changes nothing',
    status: 200,
    parameters: ofDatabase,
    body: restoreRequest,
    answer: databaseRestorePlan,
    audit: 'no_change',
  }),
  restoreDatabase: endpoint({
    method: 'post',
    path: `${database}/restores`,
    access: { permission: 'operate' },
    summary: 'Begins to take a database back to what it held at a time',
    status: 202,
    parameters: ofDatabase,
    body: restoreRequest,
    answer: databaseOperation,
    audit: 'itself',
  }),
  getDatabaseOperation: endpoint({
    method: 'get',
    path: `${database}/operations/{id}`,
    access: { permission: 'read' },
    summary: 'A backup or a restore that was begun',
    status: 200,
    parameters: ofOperation,
    answer: databaseOperation,
  }),
};
