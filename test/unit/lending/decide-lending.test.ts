import { expect, it } from 'vitest';
import { decideLending, type LendingFacts } from '../../../electron/core/lending/decide-lending.ts';

const gib = 2 ** 30;
const facts: LendingFacts = {
  isEnabled: true,
  isDraining: false,
  freeDiskBytes: 100 * gib,
  keepFreeDiskBytes: 20 * gib,
  obstacles: [],
};

it.each<[string, Partial<LendingFacts>, string[]]>([
  ['lends when nothing speaks against it', {}, []],
  ['does not lend when switched off', { isEnabled: false }, ['Lending is switched off.']],
  [
    'does not lend below the disk floor',
    { freeDiskBytes: 5 * gib },
    ['Only 5.0 GiB of disk are free; 20.0 GiB are kept free.'],
  ],
  [
    'does not lend while it shuts down',
    { isDraining: true },
    ['The bench is shutting down: it lets running jobs end.'],
  ],
  ['does not lend with an obstacle', { obstacles: ['QEMU is missing.'] }, ['QEMU is missing.']],
])('%s', (_name, more, reasons) => {
  const { isEnabled } = { ...facts, ...more };
  expect(decideLending({ ...facts, ...more })).toEqual({ isEnabled, isLending: reasons.length === 0, reasons });
});
