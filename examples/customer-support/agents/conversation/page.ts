import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';

const template = readFileSync(join(import.meta.dirname, 'page.html'), 'utf8');

/** The chat page. Its script runs by a nonce, so nothing a user or an article says can become a script of its own. */
export function sendPage(response: ServerResponse, welcome: string): void {
  const nonce = randomBytes(16).toString('base64');
  const policy = `default-src 'none'; connect-src 'self'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
  const values: Readonly<Record<string, string>> = { nonce, welcome: escapeHtml(welcome) };
  response.end(template.replaceAll(/\{\{(\w+)\}\}/g, (place, name: string) => values[name] ?? place));
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
