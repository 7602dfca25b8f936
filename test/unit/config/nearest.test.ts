import { describe, expect, it } from 'vitest';
import { nearest } from '../../../electron/core/config/nearest.ts';

describe('the nearest word', () => {
  const keys = ['image', 'executor', 'cpus', 'memory', 'disk', 'boot-timeout'];

  it.each([
    ['memroy', 'memory'],
    ['cpu', 'cpus'],
    ['boot_timeout', 'boot-timeout'],
    ['Image', 'image'],
    ['exectuor', 'executor'],
    ['zebra', undefined],
    ['', undefined],
  ])('to %j is %j', (word, expected) => {
    expect(nearest(word, keys)).toBe(expected);
  });

  it('is none among none', () => {
    expect(nearest('memory', [])).toBeUndefined();
  });
});
