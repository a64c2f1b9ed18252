import { problem, type Problem } from '../errors/sluice-error.ts';
import { unfollowedReferences } from '../release/compatibility/document-parts.ts';
import { judgeVersion } from '../release/compatibility/version.ts';
import { readApi } from '../release/compatibility/read-api.ts';
import { describeChange, isSameContent } from '../release/difference/describe-change.ts';
import type { ReleaseChange } from '../release/difference/release-change.ts';
import { declaredFiles, recordedFiles, type ReleaseFiles } from '../release/difference/release-files.ts';
import { assessRisk, type ReleaseRisk } from '../release/difference/risk.ts';
import { readReleaseContent, releaseDigest, releaseId, type ResolveImage } from '../release/release-content.ts';
import type { Release } from '../release/release.ts';
import type { ServiceFields } from '../stack/kinds/service.ts';
import type { ResolvedBlock, ResolvedStack } from '../stack/stack.ts';

/** Changes of an API that are told by name. */
const mostTold = 50;

export interface JudgedRelease {
  readonly problems: readonly Problem[];
  /** Absent where there is no release to compare with, or nothing has changed. */
  readonly risk?: ReleaseRisk;
  /** What it would be released as. */
  readonly release: string;
  /** What would be different from the stable release; absent as the risk is. */
  readonly change?: ReleaseChange;
}

export interface KnownReleases {
  /** The one in use. */
  readonly stable: Release | undefined;
  readonly find: (id: string) => Promise<Release | undefined>;
  readonly resolveImage: ResolveImage;
}

/**
 * What a service would be released as, held against its stable release: a version that says less than changed is an error or a warning,
 * and the risk is noted with its reasons. A return to a release that is on record under the same version is no new one to be judged.
 */
export async function judgeRelease(
  block: ResolvedBlock,
  stack: ResolvedStack,
  { stable, find, resolveImage }: KnownReleases,
): Promise<JudgedRelease> {
  const fields = block.fields as unknown as ServiceFields;
  const content = await readReleaseContent(fields, stack.root, resolveImage);
  const digest = releaseDigest(content);
  const release = releaseId(digest);
  if (stable?.digest === digest) return { problems: [], release };
  const files = await declaredFiles(fields, stack.root);
  const unreadable = apiProblems(block, fields, files);
  if (stable === undefined) return { problems: unreadable, release };
  const change = describeChange(
    { version: stable.version, content: stable.content, image: stable.image, files: await recordedFiles(stable.directory) },
    { version: fields.version, content, image: fields.image, files },
  );
  if (isSameContent(change)) return { problems: unreadable, release };
  const risk = assessRisk(change);
  const isReturn = (await find(release))?.version === fields.version;
  return {
    problems: [...unreadable, ...(isReturn ? [] : versionProblems(block, change)), riskNote(block, stable, risk)],
    risk,
    release,
    change,
  };
}

function apiProblems(block: ResolvedBlock, fields: ServiceFields, files: ReleaseFiles): Problem[] {
  if (fields.api === undefined) return [];
  const api = readApi(files.api?.[0]?.text);
  if (api !== undefined) {
    const references = unfollowedReferences(api);
    if (references.length === 0) return [];
    return [
      problem(
        'api_reference_not_followed',
        { service: block.name, path: fields.api, references },
        { ...at(block, 'api'), severity: 'warning' },
      ),
    ];
  }
  return [problem('api_not_compared', { service: block.name, path: fields.api }, { ...at(block, 'api'), severity: 'warning' })];
}

function versionProblems(block: ResolvedBlock, change: ReleaseChange): Problem[] {
  const { from, to, bump } = change.version;
  const { needed, lowest, isEnough, because } = judgeVersion(from, to, change.api);
  const about = { service: block.name, from, to, lowest };
  if (!isEnough) {
    const changes = because.slice(0, mostTold).map(({ path, what }) => `${path}: ${what}`);
    if (because.length > mostTold) changes.push(`and ${because.length - mostTold} more`);
    const isBreak = because.some(({ breaking }) => breaking);
    const code = isBreak ? 'breaking_api_change' : 'version_too_low';
    return [problem(code, { ...about, needed, changes }, { ...at(block, 'version'), severity: isBreak ? 'error' : 'warning' })];
  }
  return bump === 'none' && from === to ? [problem('version_unchanged', about, { ...at(block, 'version'), severity: 'warning' })] : [];
}

function riskNote(block: ResolvedBlock, stable: Release, { level, reasons }: ReleaseRisk): Problem {
  const about = { service: block.name, stable: stable.id, level, reasons: reasons.map(({ reason }) => reason) };
  return problem('release_risk', about, { ...at(block, 'version'), severity: 'note' });
}

function at(block: ResolvedBlock, field: string) {
  return { position: block.positionOf(field), address: block.address };
}
