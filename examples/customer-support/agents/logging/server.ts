import { openDatabase } from './database.ts';
import { textOf } from './fields.ts';
import { parseInteraction, recall, record, statistics } from './interactions.ts';
import { refusal } from './refusal.ts';
import { sendJson, serve } from './serve.ts';

const url = process.env['DATABASE_URL'];
if (!url) throw new Error('DATABASE_URL is not set: declare it from the output of a database');
const database = openDatabase(url);

serve(
  {
    'GET /healthz': async (_request, response) => {
      const ready = await database.ready(400);
      sendJson(response, ready ? 200 : 503, { status: ready ? 'ok' : 'waiting for the database' });
    },

    'POST /interactions': async ({ json }, response) => {
      const interaction = parseInteraction(await json());
      const added = await record(database, interaction);
      sendJson(response, added ? 201 : 200, { id: interaction.id, added }, { 'agent.decision': interaction.decision });
    },

    /** `?session=`, `&limit=` 1 to 100, 20 unless told: the latest ones, oldest first. */
    'GET /interactions': async ({ query }, response) => {
      const session = textOf(query.get('session'), 'session', 100);
      const limit = Number(query.get('limit') ?? 20);
      if (!Number.isInteger(limit) || limit < 1 || limit > 100)
        throw refusal(400, 'invalid_request', "'limit' must be a whole number from 1 to 100");
      sendJson(response, 200, { session, interactions: await recall(database, session, limit) });
    },

    'GET /stats': async (_request, response) => sendJson(response, 200, await statistics(database)),
  },
  () => database.close(),
);
