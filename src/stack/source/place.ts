import type { SourcePosition } from '../../errors/sluice-error.ts';
import type { SourceNode } from './node.ts';

/** What stands at a path of a tree: the node, or the nearest one around it when the path leads to nothing. */
export interface Place {
  readonly node: SourceNode;
  readonly found: boolean;
  /** Start of the key, when the last step was into a map. */
  readonly keyStart?: number;
}

export function placeAt(root: SourceNode, path: readonly PropertyKey[]): Place {
  let place: Place = { node: root, found: true };
  for (const step of path) {
    const next = stepInto(place.node, step);
    if (!next) return { ...place, found: false };
    place = next;
  }
  return place;
}

export function positionOfPath(root: SourceNode, path: string): SourcePosition {
  const { node } = placeOfPath(root, path);
  return node.source.positionAt(node.start);
}

/**
 * As `placeAt` for a dotted path. A key that itself holds dots is found too: at each map the shortest key that fits is taken.
 */
export function placeOfPath(root: SourceNode, path: string): Place {
  let node = root;
  const steps = path === '' ? [] : path.split('.');
  for (let at = 0; at < steps.length; ) {
    let taken = 0;
    for (let length = 1; length <= steps.length - at && taken === 0; length += 1) {
      const next = stepInto(node, steps.slice(at, at + length).join('.'));
      if (next) {
        node = next.node;
        taken = length;
      }
    }
    if (taken === 0) return { node, found: false };
    at += taken;
  }
  return { node, found: true };
}

function stepInto(node: SourceNode, step: PropertyKey): Place | undefined {
  if (node.type === 'map') {
    const entry = node.entries.get(String(step));
    return entry && { node: entry.value, found: true, keyStart: entry.keyStart };
  }
  if (node.type !== 'list' || !/^\d{1,6}$/.test(String(step))) return undefined;
  const item = node.items[Number(step)];
  return item && { node: item, found: true };
}
