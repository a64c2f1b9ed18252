const targetCharacters = /^[\x21\x22\x24-\x7e]+$/;

export function isTarget(text: string): boolean {
  return targetCharacters.test(text);
}

const absoluteForm = /^http:\/\/([^/?]+)(.*)$/i;

/** Path and query of an origin-form target, or of an absolute one whose authority is the Host header's. */
export function originForm(target: string, authority: string): string | undefined {
  if (target.charCodeAt(0) === 47) return target;
  const absolute = absoluteForm.exec(target);
  if (absolute?.[1]?.toLowerCase() !== authority.toLowerCase()) return undefined;
  const rest = absolute[2] as string;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

const dotSegment = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:$|[/\\;]|%2f|%5c)/i;

/**
 * Whether an instance that resolves dot segments would see another path than the one that was matched: a way to paths of a service that
 * are not exposed. Encoded dots and slashes, backslashes and path parameters count, as common frameworks resolve those too.
 */
export function leavesItsPrefix(target: string): boolean {
  const query = target.indexOf('?');
  const path = query === -1 ? target : target.slice(0, query);
  if (!path.includes('.') && !path.includes('%')) return false;
  return dotSegment.test(path);
}
