import { describe, expect, it } from 'vitest';
import { parseAbsolute, parseAuthority, refusalOf } from '../../../electron/core/vm/egress/egress-target.ts';

describe('where a guest wants to go', () => {
  it.each([
    ['Example.com:443', 'example.com', 443],
    ['example.com.:443', 'example.com', 443],
    ['93.184.216.34:22', '93.184.216.34', 22],
    ['[2606:4700::1]:443', '2606:4700::1', 443],
    ['bücher.example:443', 'xn--bcher-kva.example', 443],
    ['2130706433:80', '127.0.0.1', 80],
    ['0x7f000001:80', '127.0.0.1', 80],
    ['0x7f.1:80', '127.0.0.1', 80],
    ['017700000001:80', '127.0.0.1', 80],
    ['0177.0.0.1:80', '127.0.0.1', 80],
    ['127.1:80', '127.0.0.1', 80],
    ['0:80', '0.0.0.0', 80],
    ['[::ffff:127.0.0.1]:80', '::ffff:7f00:1', 80],
    ['[0:0:0:0:0:0:0:1]:80', '::1', 80],
    ['loc%61lhost:80', 'localhost', 80],
    ['１２７.０.０.１:80', '127.0.0.1', 80],
  ])('%s is %s, port %d', (text, host, port) => {
    expect(parseAuthority(text)).toEqual({ host, port });
  });

  it.each([
    '',
    'example.com',
    'example.com:',
    'example.com:0',
    'example.com:65536',
    'example.com:443:443',
    '::1:443',
    '[::1%lo]:443',
    '[::g]:443',
    'a@b:443',
    'a/b:443',
    'a b:443',
    'a\\b:443',
    '.:443',
    '999.999.999.999:80',
    `${'a'.repeat(300)}:443`,
    'http://example.com:443',
  ])('%s is refused', (text) => {
    expect(parseAuthority(text)).toBeUndefined();
  });

  it.each([
    ['http://Example.com/x?y', 'example.com', 80],
    ['http://user:pass@example.com:8080/', 'example.com', 8080],
    ['HTTP://0x7f.1/', '127.0.0.1', 80],
    ['http://[::1]:81/', '::1', 81],
  ])('%s is %s, port %d', (text, host, port) => {
    expect(parseAbsolute(text)?.target).toEqual({ host, port });
  });

  it.each(['/', '*', 'https://example.com/', 'ftp://example.com/', 'http:example.com', 'http://', 'http://.../'])(
    '%s is no address for a proxy',
    (text) => {
      expect(parseAbsolute(text)).toBeUndefined();
    },
  );

  it.each([
    'localhost',
    'a.localhost',
    'printer.local',
    'metadata.google.internal',
    'nas.lan',
    'x.home.arpa',
    'ip6-localhost',
  ])('%s is refused unasked', (host) => {
    expect(refusalOf({ host, port: 443 })).toBe(
      `${host} has no public address. What else machines may reach is listed under "reach:" in the config of this bench.`,
    );
  });

  it('is anything but port 25', () => {
    expect([22, 25, 80, 443, 465, 587].map((port) => refusalOf({ host: 'example.com', port }))).toEqual([
      undefined,
      'Port 25 is closed for machines of this bench.',
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('is not refused for a name that only looks like a closed one', () => {
    expect(['notlocalhost', 'local.example', 'mylan'].map((host) => refusalOf({ host, port: 443 }))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
