import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { curlFor } from './call-example.ts';

const url = 'http://support.localhost:7080/chat';

describe('the request to paste', () => {
  it('is the one the API description gives', () => {
    const example = { method: 'POST', url, headers: { 'content-type': 'application/json' }, body: '{"message":"hi"}' };
    expect(curlFor({ urls: [url], example })).toBe(`curl -sS -H 'content-type: application/json' --data-raw '{"message":"hi"}' ${url}`);
  });

  it('is a GET of the URL without a description, and nothing for what is not exposed', () => {
    expect(curlFor({ urls: [url] })).toBe(`curl -sS ${url}`);
    expect(curlFor({ urls: [] })).toBeUndefined();
  });

  it('names an unusual method and does not hold back a stream', () => {
    const example = { method: 'delete', url, headers: { accept: 'text/event-stream' } };
    expect(curlFor({ urls: [url], example })).toBe(`curl -sSN -X DELETE -H 'accept: text/event-stream' ${url}`);
  });

  it('is safe in a shell whatever the description holds', () => {
    const hostile = `it's $(touch /tmp/x) \`id\` "; rm -rf ~ #`;
    const command = curlFor({ urls: [], example: { method: 'POST', url: `${url}?q=a&b='c`, headers: { x: hostile }, body: hostile } });
    const words = execFileSync('sh', ['-c', `printf '%s\\0' ${command ?? ''}`], { encoding: 'utf8' })
      .split('\0')
      .slice(0, -1);
    expect(words).toEqual(['curl', '-sS', '-H', `x: ${hostile}`, '--data-raw', hostile, `${url}?q=a&b='c`]);
  });
});
