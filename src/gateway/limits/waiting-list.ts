/** First in, first out, where anybody may leave from the middle: every operation takes the same time however many wait. */
export interface WaitingList<Item> {
  push(item: Item, since: number): void;
  /** Whoever has waited longest. */
  first(): { readonly item: Item; readonly since: number } | undefined;
  shift(): Item | undefined;
  /** Takes away whoever came last. */
  pop(): Item | undefined;
  /** False when it was not in the list. */
  remove(item: Item): boolean;
  size(): number;
}

interface Node<Item> {
  readonly item: Item;
  readonly since: number;
  before: Node<Item> | undefined;
  after: Node<Item> | undefined;
}

export function createWaitingList<Item>(): WaitingList<Item> {
  const nodes = new Map<Item, Node<Item>>();
  let first: Node<Item> | undefined;
  let last: Node<Item> | undefined;

  const take = (node: Node<Item> | undefined): Item | undefined => {
    if (node === undefined) return undefined;
    nodes.delete(node.item);
    if (node.before) node.before.after = node.after;
    else first = node.after;
    if (node.after) node.after.before = node.before;
    else last = node.before;
    return node.item;
  };

  return {
    push: (item, since) => {
      const node: Node<Item> = { item, since, before: last, after: undefined };
      if (last) last.after = node;
      else first = node;
      last = node;
      nodes.set(item, node);
    },
    first: () => first,
    shift: () => take(first),
    pop: () => take(last),
    remove: (item) => take(nodes.get(item)) !== undefined,
    size: () => nodes.size,
  };
}
