import { describe, expect, it } from 'vitest';
import { parseReachRule } from '../../../electron/core/config/reach-rule.ts';

describe('a door', () => {
  it('in its short form leads to where the name really is', () => {
    expect(parseReachRule('Registry.lab:5000')).toEqual({
      ok: true,
      rule: { name: 'registry.lab', port: 5000, toHost: 'registry.lab', toPort: 5000 },
    });
  });

  it.each([
    ['127.0.0.1:8929', '127.0.0.1', 8929],
    ['[::1]:8929', '::1', 8929],
    ['nas:443', 'nas', 443],
  ])('in full leads to %s', (to, toHost, toPort) => {
    expect(parseReachRule({ name: 'git.lab', port: 443, to })).toEqual({
      ok: true,
      rule: { name: 'git.lab', port: 443, toHost, toPort },
    });
  });

  it.each([
    'registry.lab',
    'registry.lab:0',
    'registry.lab:65536',
    ':5000',
    'http://registry.lab:5000',
    '192.168.1.5:5000',
    '[::1]:5000',
    '2130706433:80',
    '0x7f000001:80',
    'localhost:80',
    'a.localhost:80',
    '-x:80',
    'a_b:80',
    'a..b:80',
    `${'a'.repeat(64)}.lab:80`,
    'a b:80',
  ])('%s is refused', (text) => {
    expect(parseReachRule(text).ok).toBe(false);
  });

  it.each(['127.0.0.1', '[127.0.0.1]:80', '[::g]:80', '::1:80', '300.1.1.1:80'])('to %s is refused', (to) => {
    expect(parseReachRule({ name: 'git.lab', port: 443, to }).ok).toBe(false);
  });
});
