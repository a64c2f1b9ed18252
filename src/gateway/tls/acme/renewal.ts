const minute = 60_000;
const firstBackoffMs = 2 * minute;
const longestBackoffMs = 12 * 60 * minute;

interface Life {
  readonly validFrom: number;
  readonly validTo: number;
}

/** When a certificate is to be renewed: after two thirds of its life, up to a thirtieth earlier. `draw` in [0, 1). */
export function renewalAt({ validFrom, validTo }: Life, draw: number): number {
  const life = validTo - validFrom;
  return validFrom + (2 / 3) * life - (draw / 30) * life;
}

/**
 * How long to wait after so many failures in a row (1 or more): doubled each time and spread, so that many gateways do not come back
 * together and none meets the limits of an authority (Let's Encrypt: five failures for a host in an hour).
 */
export function backoffMs(failures: number, draw: number): number {
  return Math.min(firstBackoffMs * 2 ** (failures - 1), longestBackoffMs) * (1 + draw / 2);
}
