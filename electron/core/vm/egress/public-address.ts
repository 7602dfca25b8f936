import { BlockList, isIP } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/**
 * What is not the public internet, after IANA's registries of special-purpose addresses.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 */
const closedV4 = [
  ['0.0.0.0', 8], // this network; Linux takes 0.0.0.0 for itself
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // shared by carriers, and many VPNs
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local, and what clouds answer about a machine
  ['172.16.0.0', 12],
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // relays of 6to4
  ['192.168.0.0', 16],
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
] as const;

/**
 * Of IPv6 only 2000::/3 is handed out as global unicast. Everything else is closed without a list: ::1, v4-mapped,
 * NAT64 (64:ff9b::/96), unique local, link-local, site-local, multicast. These are closed within it.
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const openV6 = ['2000::', 3] as const;
const closedV6 = [
  ['2001::', 23], // protocol assignments, with Teredo (2001::/32), which carries a v4 address
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4, which carries a v4 address
  ['3ffe::', 16], // the 6bone, given back
  ['3fff::', 20], // documentation
] as const;

const closed = new BlockList();
for (const [address, prefix] of closedV4) closed.addSubnet(address, prefix, 'ipv4');
for (const [address, prefix] of closedV6) closed.addSubnet(address, prefix, 'ipv6');
const globalUnicast = new BlockList();
globalUnicast.addSubnet(...openV6, 'ipv6');

/** A prefix shorter than this names no network that somebody is in, but a whole region of the internet. */
const shortestPrefix = { IPv4: 8, IPv6: 32 } as const;

/**
 * Whether an address belongs to the public internet, and neither to this host nor to a network it is in: a neighbour with
 * a public address is still a neighbour.
 * @param address Without a zone.
 */
export function isPublicAddress(address: string, interfaces: Interfaces): boolean {
  const version = isIP(address);
  if (version === 0 || address.includes('%')) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (closed.check(address, family)) return false;
  if (family === 'ipv6' && !globalUnicast.check(address, 'ipv6')) return false;
  return !ownNetworks(interfaces).check(address, family);
}

function ownNetworks(interfaces: Interfaces): BlockList {
  const own = new BlockList();
  for (const { address, cidr, family } of Object.values(interfaces).flatMap((infos) => infos ?? [])) {
    const type = family === 'IPv4' ? 'ipv4' : 'ipv6';
    own.addAddress(address, type);
    const prefix = Number(cidr?.split('/')[1] ?? Number.NaN);
    if (prefix >= shortestPrefix[family]) own.addSubnet(address, prefix, type);
  }
  return own;
}
