/** What a worker may run at a time of one service, from now on. */
export interface Grant {
  readonly worker: number;
  readonly capacity: number;
  /** To be given back with the acknowledgement. */
  readonly sequence: number;
}

/**
 * Divides one service's concurrency over the workers by what they need, so that together they never run more than it allows: a share is
 * lowered before another is raised, and is free only once its worker runs no more than the lower one. Pure: every call gives the grants to
 * be sent.
 */
export interface PermitsLedger {
  /** Requests the service may run at a time, of all workers. */
  setCapacity(capacity: number): readonly Grant[];
  /** A worker begins with nothing. */
  join(worker: number): readonly Grant[];
  /** It is dead: what it had is free. */
  leave(worker: number): readonly Grant[];
  /** Requests that run in it or wait. */
  demand(worker: number, requests: number): readonly Grant[];
  /** It runs no more than the grant of this number allows. */
  acknowledged(worker: number, sequence: number): readonly Grant[];
}

interface Account {
  share: number;
  /** The most it may be running at this moment. */
  bound: number;
  demand: number;
  sequence: number;
  /** When it last got something after having nothing: whoever waits longest comes first. */
  grantedAt: number;
}

/** `next` gives numbers that grow and are never given twice, nor to another ledger of the same service. */
export function createPermitsLedger(next: () => number): PermitsLedger {
  const accounts = new Map<number, Account>();
  let capacity = 0;

  const grant = (worker: number, account: Account, share: number): Grant => {
    if (account.share === 0) account.grantedAt = next();
    account.share = share;
    account.bound = Math.max(account.bound, share);
    account.sequence = next();
    return { worker, capacity: share, sequence: account.sequence };
  };

  const settle = (): readonly Grant[] => {
    const order = [...accounts].toSorted(([, one], [, other]) => one.grantedAt - other.grantedAt);
    const targets = divide(
      capacity,
      order.map(([, account]) => account.demand),
    );
    const grants: Grant[] = [];
    for (const [index, [worker, account]] of order.entries()) {
      const target = targets[index] as number;
      if (target < account.share) grants.push(grant(worker, account, target));
    }
    let free = capacity;
    for (const { bound } of accounts.values()) free -= bound;
    for (const [index, [worker, account]] of order.entries()) {
      // What it was to give back and has not yet, it may as well keep.
      const share = Math.min(targets[index] as number, account.bound + Math.max(0, free));
      if (share <= account.share) continue;
      free -= Math.max(0, share - account.bound);
      grants.push(grant(worker, account, share));
    }
    return grants;
  };

  return {
    setCapacity: (allowed) => {
      capacity = allowed;
      return settle();
    },
    join: (worker) => {
      accounts.set(worker, { share: 0, bound: 0, demand: 0, sequence: 0, grantedAt: 0 });
      return settle();
    },
    leave: (worker) => {
      accounts.delete(worker);
      return settle();
    },
    demand: (worker, requests) => {
      const account = accounts.get(worker);
      if (account === undefined || account.demand === requests) return [];
      account.demand = requests;
      return settle();
    },
    acknowledged: (worker, sequence) => {
      const account = accounts.get(worker);
      if (account === undefined || account.sequence !== sequence || account.bound === account.share) return [];
      account.bound = account.share;
      return settle();
    },
  };
}

/** Max-min fair: everybody gets what is needed or an equal part, the first of the order get what does not divide; the rest is spread as reserve. */
export function divide(capacity: number, demands: readonly number[]): readonly number[] {
  const shares = demands.map(() => 0);
  let rest = capacity;
  const spread = (wants: (index: number) => number): void => {
    for (;;) {
      const unmet = shares.flatMap((_share, index) => (wants(index) > 0 ? [index] : []));
      if (rest <= 0 || unmet.length === 0) return;
      const each = Math.max(1, Math.floor(rest / unmet.length));
      for (const index of unmet) {
        const given = Math.min(each, wants(index), rest);
        shares[index] = (shares[index] as number) + given;
        rest -= given;
      }
    }
  };
  spread((index) => (demands[index] as number) - (shares[index] as number));
  spread(() => Number.POSITIVE_INFINITY);
  return shares;
}
