/** What can be in one bag at a time. */
export interface Bagged {
  /** Where it is in its bag, which alone writes it; -1: in none. */
  slot: number;
}

/**
 * Members in no order, for a multitude that comes and goes with every request. A Set would do, but for its garbage: emptied and filled it
 * is rebuilt again and again, each old table refers to the next and to all that was in it, and once the first is old the scavenger must
 * take all of them for alive. With it a third of everything allocated was copied and promoted before it died.
 */
export class Bag<Member extends Bagged> implements Iterable<Member> {
  /** Never shrinks; behind `size` there is nothing. */
  readonly #members: (Member | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** One that is in it already stays. */
  add(member: Member): void {
    if (member.slot !== -1) return;
    member.slot = this.#size;
    this.#members[this.#size] = member;
    this.#size += 1;
  }

  /** Whether it was in it. */
  delete(member: Member): boolean {
    const { slot } = member;
    if (slot === -1) return false;
    this.#size -= 1;
    const last = this.#members[this.#size] as Member;
    this.#members[slot] = last;
    last.slot = slot;
    this.#members[this.#size] = undefined;
    member.slot = -1;
    return true;
  }

  /** Those in it at the beginning, without those that have left by their turn. */
  *[Symbol.iterator](): Iterator<Member> {
    for (const member of this.#members.slice(0, this.#size) as Member[]) if (member.slot !== -1) yield member;
  }
}
