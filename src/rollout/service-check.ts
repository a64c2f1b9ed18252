import { stat } from 'node:fs/promises';
import { containedPath } from '../effects/files.ts';
import { problem, type Problem, toSluiceError } from '../errors/sluice-error.ts';
import { declaredPath, fileParts, type ResolveImage } from '../release/release-content.ts';
import { parseImageReference } from '../stack/fields/image-reference.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import type { ResolvedBlock, ResolvedStack } from '../stack/stack.ts';
import { shownSecrets } from './sources/shown-secrets.ts';
import { strategies } from './strategies.ts';

/** Everything about a service that can be known before anything is changed. */
export async function checkService(block: ResolvedBlock, stack: ResolvedStack, resolveImage: ResolveImage): Promise<readonly Problem[]> {
  const fields = block.fields as unknown as ServiceFields;
  return [
    ...unsupportedFields(block, fields),
    ...reservedVariables(block, fields),
    ...shownSecrets(block, fields),
    ...previewProblems(block, fields, stack),
    ...(await codeProblems(block, fields, resolveImage)),
    ...(await pathProblems(block, fields, stack.root)),
    ...(await armProblems(block, fields, stack.root)),
  ];
}

function unsupportedFields(block: ResolvedBlock, fields: ServiceFields): Problem[] {
  const { rollout } = fields;
  const unsupported = (field: string, value?: string): Problem =>
    problem('unsupported_field', { kind: 'service', field, ...(value !== undefined && { value }) }, at(block, field));
  // A service without an instance would have to hold its requests until one is ready.
  const problems = fields.scaling?.min === 0 ? [unsupported('scaling.min', '0')] : [];
  // A container is in the control group its engine gives it, outside of the machine's.
  if (fields.image !== undefined && fields.runs_on !== undefined) problems.push(unsupported('runs_on', `${fields.runs_on} with an image`));
  if (rollout.strategy !== 'auto' && !(rollout.strategy in strategies)) {
    // The strategy's own fields fall with it: naming each of them would only repeat what is wrong.
    return [...problems, unsupported('rollout.strategy', rollout.strategy)];
  }
  if (rollout.on_failure !== 'rollback' && rollout.strategy !== 'canary' && rollout.strategy !== 'auto')
    problems.push(unsupported('rollout.on_failure', rollout.on_failure));
  if (block.references.some(({ path, kind }) => path === 'runs_on' && kind === 'host'))
    problems.push(unsupported('runs_on', fields.runs_on));
  return problems;
}

/** A command may have brought another source or image than what the language has checked. */
async function codeProblems(block: ResolvedBlock, fields: ServiceFields, resolveImage: ResolveImage): Promise<Problem[]> {
  const { source = '', image, command } = fields;
  const service = block.name;
  if (image === undefined) return command ? [] : [problem('service_command_missing', { service, source }, at(block, 'source'))];
  if (process.platform !== 'linux') return [problem('containers_need_linux', { service, platform: process.platform }, at(block, 'image'))];
  if (!parseImageReference(image)) return [problem('image_reference_invalid', { service, reference: image }, at(block, 'image'))];
  try {
    await resolveImage(image);
    return [];
  } catch (thrown) {
    const { code, message, help } = toSluiceError(thrown);
    return [{ severity: 'error', code, message, help, ...at(block, 'image') }];
  }
}

/** A preview opens the service to the public under a host that has to be its own. */
function previewProblems(block: ResolvedBlock, { expose, rollout }: ServiceFields, stack: ResolvedStack): Problem[] {
  const host = rollout.preview?.host;
  if (host === undefined) return [];
  const refused = (reason: string): Problem[] => [
    problem('preview_host_refused', { service: block.name, host, reason }, at(block, 'rollout.preview.host')),
  ];
  if (!expose) return refused('it is not exposed, so no listener of the public would answer there');
  const others = stack.blocks
    .filter(({ kind }) => kind === 'service')
    .map((other) => [other, other.fields as unknown as ServiceFields] as const);
  const exposing = others.find(([, fields]) => fields.expose?.host === host);
  if (exposing) return refused(`the service '${exposing[0].name}' is exposed under that host`);
  const previewing = others.find(([other, fields]) => other.address !== block.address && fields.rollout.preview?.host === host);
  return previewing ? refused(`the service '${previewing[0].name}' is previewed under that host`) : [];
}

/** The same of what each arm of an experiment has instead. */
async function armProblems(block: ResolvedBlock, { rollout }: ServiceFields, root: string): Promise<Problem[]> {
  const arms = Object.entries(rollout.experiment?.arms ?? {});
  const found = arms.map(async ([name, { env = {}, ...own }]) => {
    const place = `rollout.experiment.arms.${name}.`;
    const fields = { ...own, env } as unknown as ServiceFields;
    return reservedVariables(block, fields, place).concat(await pathProblems(block, fields, root, place));
  });
  return (await Promise.all(found)).flat();
}

function reservedVariables(block: ResolvedBlock, fields: Pick<ServiceFields, 'env'>, within = ''): Problem[] {
  return Object.keys(fields.env)
    .filter((variable) => variable === 'PORT' || variable === 'HOST' || variable.startsWith('SLUICE_'))
    .map((variable) => problem('reserved_variable', { service: block.name, variable }, at(block, `${within}env.${variable}`)));
}

async function pathProblems(block: ResolvedBlock, fields: ServiceFields, root: string, within = ''): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const field of fileParts) {
    const path = declaredPath(fields, field);
    if (path === undefined) continue;
    const absolute = containedPath(root, path);
    const found = absolute === undefined ? undefined : await stat(absolute).catch(() => undefined);
    const about = { service: block.name, field, path };
    if (absolute === undefined) problems.push(problem('service_path_outside', about, at(block, within + field)));
    else if (!found) problems.push(problem('service_path_missing', about, at(block, within + field)));
    else if ((field === 'source' || field === 'migrations') && !found.isDirectory()) {
      problems.push(problem('service_path_wrong_type', { ...about, expected: 'a folder' }, at(block, within + field)));
    } else if ((field === 'policy' || field === 'api') && !found.isFile()) {
      problems.push(problem('service_path_wrong_type', { ...about, expected: 'a file' }, at(block, within + field)));
    }
  }
  return problems;
}

function at(block: ResolvedBlock, field: string) {
  return { position: block.positionOf(field), address: block.address };
}
