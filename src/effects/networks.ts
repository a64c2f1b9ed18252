import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Where requests that somebody has declared may go: a name of a part of the address space, or a range such as `10.1.0.0/16`. */
export interface Networks {
  /** `address` is an IP address as text, of either family. */
  allows(address: string): boolean;
}

const parts = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10'],
} as const;

/** Of the addresses that are neither: those that are no host elsewhere, or one that gives a machine its credentials. */
const never = [
  '0.0.0.0/8 169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3',
  '::/128 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001:db8::/32 2002::/16 fe80::/10 ff00::/8',
  // Metadata services of Azure, Alibaba and AWS that are not link-local.
  '168.63.129.16/32 100.100.100.200/32 fd00:ec2::/32',
].flatMap((ranges) => ranges.split(' '));

/** What is allowed unless the operator says otherwise: receivers on this machine and in its network are as common as public ones. */
export const usualNetworks = 'public,private,loopback';

/** Of an error of `guardedLookup`, and only of one by which an address is refused. */
export const refusedCode = 'REFUSED';

/**
 * Reads a list such as `public,10.1.0.0/16`. A range that is named is allowed whatever lies in it, the addresses that are otherwise never
 * sent to (link-local ones and the metadata services of clouds) included. Undefined when the list cannot be understood.
 */
export function parseNetworks(list: string): Networks | undefined {
  const words = list.split(',').map((word) => word.trim());
  const [named, refused, special] = [new BlockList(), new BlockList(), new BlockList()];
  for (const range of never) add(refused, range);
  for (const range of [...parts.loopback, ...parts.private]) add(special, range);
  const allowedParts = new BlockList();
  for (const word of words) {
    if (word === 'public') continue;
    const known = Object.hasOwn(parts, word) ? parts[word as keyof typeof parts] : undefined;
    for (const range of known ?? [word]) if (!add(known ? allowedParts : named, range)) return undefined;
  }
  const allowsPublic = words.includes('public');
  return {
    allows: (address) => {
      const plain = unmapped(address);
      const family = isIP(plain) === 4 ? 'ipv4' : 'ipv6';
      if (isIP(plain) === 0) return false;
      if (named.check(plain, family)) return true;
      if (refused.check(plain, family)) return false;
      return special.check(plain, family) ? allowedParts.check(plain, family) : allowsPublic;
    },
  };
}

function add(list: BlockList, range: string): boolean {
  const [address = '', prefix, ...rest] = range.split('/');
  const family = isIP(address);
  const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
  if (family === 0 || rest.length > 0 || !/^\d{1,3}$/.test(prefix ?? '0') || bits > (family === 4 ? 32 : 128)) return false;
  list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
  return true;
}

/** An IPv4 address that is written as an IPv6 one (RFC 4291, 2.5.5) is what it stands for. */
function unmapped(address: string): string {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (isIP(bare) !== 6) return bare;
  const hostname = URL.parse(`http://[${bare}]/`)?.hostname.slice(1, -1) ?? bare;
  const mapped = /^::(?:ffff:)?([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(hostname);
  if (!mapped || hostname === '::1') return hostname;
  const [high, low] = [Number.parseInt(mapped[1] ?? '0', 16), Number.parseInt(mapped[2] ?? '0', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** Whether the host of a URL may be reached as far as it can be said without a lookup: an address that is refused may not. */
export function mayReach({ hostname }: URL, networks: Networks): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 || networks.allows(host);
}

/**
 * Resolves a name as the system does and gives the connection the addresses that were judged, so that the name cannot lead elsewhere a
 * moment later. One that is refused spoils the name: whoever answers for it has no business here. Fails with `refusal` and `refusedCode`.
 */
export function guardedLookup(networks: Networks, refusal: string, resolve: typeof systemLookup = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const found: readonly LookupAddress[] = addresses ?? [];
      const [first] = found;
      if (error) callback(error, '', 0);
      else if (first === undefined || !found.every(({ address }) => networks.allows(address))) {
        callback(Object.assign(new Error(refusal), { code: refusedCode }), '', 0);
      } else if (options.all === true) callback(null, [...found]);
      else callback(null, first.address, first.family);
    });
  };
}
