import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Client } from '../../api/client.ts';
import { digestJson } from '../../digest/digest.ts';
import type { Json, JsonObject } from '../../digest/json.ts';
import { writeDurably } from '../../effects/files.ts';
import { SluiceError, sluiceError } from '../../errors/sluice-error.ts';
import type { Plan } from '../../plan/plan.ts';

const format = 'sluice-plan/1';
const largest = 256 * 2 ** 20;

/** A plan in a file, for people to look at and for `sluice apply FILE`. It holds no secret: values of variables stay in the home. */
interface SavedPlan {
  readonly format: typeof format;
  readonly about: string;
  /** Home of the control plane that made it and alone can apply it. */
  readonly home: string;
  readonly plan: Plan;
  /** Of all of the above. */
  readonly digest: string;
}

const savedPlan = z.strictObject({
  format: z.literal(format),
  about: z.string(),
  home: z.string(),
  plan: z.looseObject({ id: z.string().regex(/^plan-[0-9a-z]{4,64}$/), environment: z.string() }),
  digest: z.string(),
});

/** Writes the plan for its owner's eyes alone. Throws `file_in_the_way` rather than overwrite anything but a saved plan. */
export async function savePlan(path: string, plan: Plan, home: string): Promise<void> {
  const before = await readStart(path);
  if (before !== undefined && !looksSaved(before)) throw sluiceError('file_in_the_way', { file: path, reason: 'it holds something else' });
  const about = `A plan for the environment ${plan.environment}. \`sluice apply\` with this file makes exactly these changes, as long as nothing has moved on.`;
  const content = { format, about, home, plan };
  const saved: SavedPlan = { ...content, format, digest: digestJson(content as unknown as Json) };
  await writeDurably(path, `${JSON.stringify(saved, undefined, 2)}\n`, 0o600).catch((error: unknown) => {
    throw sluiceError('file_in_the_way', { file: path, reason: error instanceof Error ? error.message : String(error) }, { cause: error });
  });
}

/** Whether the file says of itself that it is a saved plan. No stack does: `format` is no kind. */
export async function isSavedPlan(path: string): Promise<boolean> {
  const start = await readStart(path);
  return start !== undefined && looksSaved(start);
}

/**
 * The plan of a file, once it is certain that it is what was saved and that the control plane of this home made it. Throws
 * `saved_plan_unusable` and says why not.
 */
export async function loadSavedPlan(path: string, client: Client, wanted: { readonly environment?: string | undefined }): Promise<Plan> {
  const refuse = (reason: string) => sluiceError('saved_plan_unusable', { file: path, reason });
  const { digest, ...content } = await readSaved(path, refuse);
  if (digestJson(content as unknown as JsonObject) !== digest) throw refuse('it has been altered since it was saved');
  const { plan, home } = content;
  const status = await client.status();
  if (resolve(status.home) !== resolve(home))
    throw refuse(`it was made by the control plane of ${home}, and this is that of ${status.home}`);
  if (wanted.environment !== undefined && wanted.environment !== plan.environment) {
    throw refuse(`it is for the environment ${plan.environment}, not ${wanted.environment}`);
  }
  const known = await client.getPlan(plan.id).catch((thrown: unknown) => {
    if (thrown instanceof SluiceError && thrown.code === 'unknown_plan') {
      throw refuse('this control plane does not know it; it keeps saved plans for 30 days');
    }
    throw thrown;
  });
  if (digestJson(known as unknown as Json) !== digestJson(plan as unknown as Json))
    throw refuse('it is not what the control plane has planned');
  return known;
}

async function readSaved(path: string, refuse: (reason: string) => SluiceError): Promise<SavedPlan> {
  try {
    const parsed = savedPlan.safeParse(JSON.parse(await readBounded(path)));
    if (parsed.success) return parsed.data as unknown as SavedPlan;
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  throw refuse('it is not complete');
}

async function readBounded(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    if ((await file.stat()).size > largest) throw new Error('it is too large');
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** The first characters of a regular file; undefined when there is none. */
async function readStart(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    if (!(await file.stat()).isFile()) return '';
    const { bytesRead, buffer } = await file.read(Buffer.alloc(64), 0, 64, 0);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await file.close();
  }
}

function looksSaved(start: string): boolean {
  return /^\s*\{\s*"format"\s*:\s*"sluice-plan\//.test(start);
}
