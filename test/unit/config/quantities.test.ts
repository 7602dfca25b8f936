import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSize, parseDuration, parseSize } from '../../../electron/core/config/quantities.ts';

describe('sizes', () => {
  it.each([
    ['512M', 512 * 2 ** 20],
    ['8G', 8 * 2 ** 30],
    ['8GiB', 8 * 2 ** 30],
    ['1.5 G', 1.5 * 2 ** 30],
    ['2T', 2 * 2 ** 40],
    ['4096', 4096],
    [4096, 4096],
    [0, 0],
  ])('reads %j as %d bytes', (text, sizeBytes) => {
    expect(parseSize(text)).toBe(sizeBytes);
  });

  it.each(['', 'lots', '8GB', '8g', '-1', -1, '1e9', '8 G iB', '9999999T', Number.NaN, true, null, ['8G']])(
    'refuses %j',
    (text) => {
      expect(parseSize(text)).toBeUndefined();
    },
  );

  it('writes the shortest form of a size', () => {
    expect([0, 1, 1024, 1536, 2 ** 30, 1.5 * 2 ** 30, 2 ** 41].map(formatSize)).toEqual([
      '0',
      '1',
      '1K',
      '1536',
      '1G',
      '1536M',
      '2T',
    ]);
  });

  it('gives back the same bytes from what it wrote', () => {
    fc.assert(fc.property(fc.nat(2 ** 50), (sizeBytes) => parseSize(formatSize(sizeBytes)) === sizeBytes));
  });
});

describe('durations', () => {
  it.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['1.5h', 5_400_000],
    ['500ms', 500],
  ])('reads %s as %d ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  it.each(['90', 90, '10 minutes', '-1s', '', null])('refuses %j, whose unit nobody knows', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
