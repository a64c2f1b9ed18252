import { join } from 'node:path';
import { readKnowledge } from './knowledge.ts';
import { log } from './log.ts';
import { refusal } from './refusal.ts';
import { createSearch } from './search.ts';
import { sendJson, serve } from './serve.ts';

const articles = readKnowledge(join(import.meta.dirname, 'knowledge'));
const search = createSearch(articles);
log('info', 'indexed', { articles: articles.length });

serve({
  'GET /healthz': (_request, response) => sendJson(response, 200, { status: 'ok', articles: articles.length }),

  /** `?q=` what is asked, `&limit=` 1 to 20, 5 unless told. Best first; nothing found is an empty list, not an error. */
  'GET /search': (request, response) => {
    const query = request.query.get('q')?.trim() ?? '';
    if (query === '' || query.length > 1_000)
      throw refusal(400, 'invalid_request', "'q' must say in 1 to 1000 characters what to search for");
    const limit = Number(request.query.get('limit') ?? 5);
    if (!Number.isInteger(limit) || limit < 1 || limit > 20)
      throw refusal(400, 'invalid_request', "'limit' must be a whole number from 1 to 20");
    const hits = search(query, limit);
    // Nobody's in particular: how long it is used again is said in the stack.
    response.setHeader('cache-control', 'public');
    sendJson(response, 200, { query, hits }, { 'agent.decision': hits.length > 0 ? 'answer' : 'clarify' });
  },
});
