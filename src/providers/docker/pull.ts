import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { SluiceError, sluiceError } from '../../errors/sluice-error.ts';
import type { ImageReference } from '../../stack/fields/image-reference.ts';
import { type Engine, reasonIn } from './engine.ts';

const line = z.looseObject({
  id: z.string().optional(),
  status: z.string().optional(),
  error: z.string().optional(),
});

/** An engine that says nothing for so long has lost its registry. */
const silenceMs = 120_000;

/** Fetches an image by its digest, and tells how far it is. Throws `image_not_pulled`, `engine_unreachable`. */
export async function pull(
  engine: Engine,
  { reference, digest }: { readonly reference: ImageReference; readonly digest: string },
  login: Readonly<Record<string, string>>,
  { progress, signal }: { readonly progress: (line: string) => void; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const about = reference.text;
  const query = new URLSearchParams({ fromImage: reference.name, tag: digest });
  const answer = await engine.open('POST', `/images/create?${query.toString()}`, {
    headers: login,
    timeoutMs: silenceMs,
    ...(signal && { signal }),
  });
  const status = answer.statusCode ?? 0;
  progress(`fetching the image ${about}`);
  const layers = new Map<string, boolean>();
  let told = '';
  try {
    for await (const text of linesOf(answer)) {
      const said = line.safeParse(jsonOf(text)).data;
      if (status >= 400) throw sluiceError('image_not_pulled', { reference: about, reason: reasonIn({ status, body: jsonOf(text) }) });
      if (said?.error !== undefined)
        throw sluiceError('image_not_pulled', { reference: about, reason: reasonIn({ status, body: said.error }) });
      if (said?.id === undefined || !/^[0-9a-f]{12}$/.test(said.id)) continue;
      layers.set(said.id, said.status === 'Pull complete' || said.status === 'Already exists');
      const done = [...layers.values()].filter(Boolean).length;
      const words = `fetching the image ${about}: ${done} of ${layers.size} layers`;
      if (words !== told) progress(words);
      told = words;
    }
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw sluiceError('image_not_pulled', { reference: about, reason: (error as Error).message }, { cause: error });
  }
}

async function* linesOf(answer: IncomingMessage): AsyncGenerator<string, void, undefined> {
  let rest = '';
  // Held by this process while it reads: nothing else waits for the end of it.
  answer.socket.ref();
  answer.setTimeout(silenceMs, () => answer.destroy(new Error(`nothing was heard for ${silenceMs / 1_000} s`)));
  answer.setEncoding('utf8');
  for await (const chunk of answer as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) if (text.trim() !== '') yield text;
  }
  if (rest.trim() !== '') yield rest;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
