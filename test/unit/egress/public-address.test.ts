import type { NetworkInterfaceInfo } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../../electron/core/vm/egress/public-address.ts';

const info = (family: 'IPv4' | 'IPv6', cidr: string): NetworkInterfaceInfo => {
  const [address = ''] = cidr.split('/');
  const common = { address, netmask: '', mac: '', internal: false, cidr };
  return family === 'IPv4' ? { ...common, family } : { ...common, family, scopeid: 0 };
};

describe('the public internet', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.1',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2001:4860:4860::8888',
    '2606:4700:4700::1111',
    '2a00:1450:4001:82b::200e',
    '3ffd::1',
  ])('has %s', (address) => {
    expect(isPublicAddress(address, {})).toBe(true);
  });

  it.each([
    ['this network', '0.0.0.0', '0.255.255.255'],
    ['private 10', '10.0.0.0', '10.255.255.255'],
    ['shared', '100.64.0.0', '100.127.255.255'],
    ['loopback', '127.0.0.1', '127.255.255.255'],
    ['link-local and cloud metadata', '169.254.0.0', '169.254.169.254'],
    ['private 172', '172.16.0.0', '172.31.255.255'],
    ['protocol assignments', '192.0.0.0', '192.0.0.255'],
    ['documentation', '192.0.2.1', '198.51.100.1'],
    ['documentation too', '203.0.113.1', '203.0.113.255'],
    ['6to4 relays', '192.88.99.1', '192.88.99.255'],
    ['private 192', '192.168.0.0', '192.168.255.255'],
    ['benchmarks', '198.18.0.0', '198.19.255.255'],
    ['multicast', '224.0.0.1', '239.255.255.255'],
    ['reserved and broadcast', '240.0.0.0', '255.255.255.255'],
    ['v6 unspecified and loopback', '::', '::1'],
    ['v4-compatible', '::7f00:1', '::127.0.0.1'],
    ['v4-mapped, whatever is in it', '::ffff:127.0.0.1', '::ffff:8.8.8.8'],
    ['v4-mapped in hex', '::ffff:7f00:1', '0:0:0:0:0:ffff:a9fe:a9fe'],
    ['v4-translated', '::ffff:0:127.0.0.1', '::ffff:0:8.8.8.8'],
    ['NAT64', '64:ff9b::7f00:1', '64:ff9b::8.8.8.8'],
    ['local NAT64', '64:ff9b:1::1', '64:ff9b:1:ffff::1'],
    ['discard', '100::1', '100::ffff'],
    ['Teredo', '2001::1', '2001:0:ffff::1'],
    ['benchmarks and ORCHID', '2001:2::1', '2001:20::1'],
    ['v6 documentation', '2001:db8::1', '3fff::1'],
    ['6to4', '2002:7f00:1::', '2002:c0a8:101::1'],
    ['the 6bone', '3ffe::1', '3ffe:ffff::1'],
    ['segment routing', '5f00::1', '5f00:ffff::1'],
    ['unique local', 'fc00::1', 'fdff::1'],
    ['v6 link-local', 'fe80::1', 'febf::1'],
    ['site-local', 'fec0::2', 'feff::1'],
    ['v6 multicast', 'ff02::1', 'ff0e::1'],
    ['not handed out', '4000::1', 'e000::1'],
    ['no address', 'localhost', ''],
    ['an address with a zone', 'fe80::1%eth0', '2606:4700:4700::1111%eth0'],
  ])('has nothing of %s: %s, %s', (_what, first, second) => {
    expect([first, second].map((address) => isPublicAddress(address, {}))).toEqual([false, false]);
  });

  it('has neither this host nor its neighbours, although they have public addresses', () => {
    const interfaces = { eth0: [info('IPv4', '5.5.5.10/24'), info('IPv6', '2a00:1:2:3::10/64')] };
    const outcome = ['5.5.5.10', '5.5.5.200', '5.5.6.1', '2a00:1:2:3::10', '2a00:1:2:3:ffff::1', '2a00:1:2:4::1'].map(
      (address) => isPublicAddress(address, interfaces),
    );
    expect(outcome).toEqual([false, false, true, false, false, true]);
  });

  it('is not closed as a whole by an interface that claims half of it', () => {
    const interfaces = { tun0: [info('IPv4', '5.5.5.10/1'), info('IPv6', '2a00:1::1/3')] };
    expect(['5.5.5.10', '8.8.8.8', '2a00:1::1', '2606:4700::1'].map((a) => isPublicAddress(a, interfaces))).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  it('has no v6 address with a v4 address hidden in its lowest bits outside of what is handed out', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom('::', '::ffff:', '::ffff:0:', '64:ff9b::', 'fe80::'), (v4, prefix) => {
        return !isPublicAddress(prefix + v4, {});
      }),
    );
  });
});
