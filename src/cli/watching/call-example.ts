import type { ServiceView } from '../../api/schemas/service.ts';

/** A curl command on one line, ready to paste, that gets an answer from an exposed service; undefined when it is not exposed. */
export function curlFor(service: Pick<ServiceView, 'urls' | 'example'>): string | undefined {
  const { example } = service;
  const url = service.urls[0];
  if (example === undefined) return url === undefined ? undefined : `curl -sS ${quote(url)}`;
  const words = ['curl', example.headers['accept']?.includes('event-stream') ? '-sSN' : '-sS'];
  if (example.method.toUpperCase() !== (example.body === undefined ? 'GET' : 'POST')) words.push('-X', quote(example.method.toUpperCase()));
  for (const [name, value] of Object.entries(example.headers)) words.push('-H', quote(`${name}: ${value}`));
  if (example.body !== undefined) words.push('--data-raw', quote(example.body));
  return [...words, quote(example.url)].join(' ');
}

/** One word of a POSIX shell, whatever the text holds. */
function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
