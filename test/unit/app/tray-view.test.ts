import { describe, expect, it } from 'vitest';
import { type LeavingStatus, trayView } from '../../../electron/app/tray-view.ts';
import type { EpochMs } from '../../../electron/contract/ids.ts';
import type { BenchState } from '../../../electron/contract/state.ts';
import { aBenchState, aRun } from '../../fakes/bench-state.ts';

const none = { cpus: 0, memoryBytes: 0, diskBytes: 0, slotCount: 0 };
const capacity = { lent: { ...none, cpus: 4 }, reserved: none, host: none };
const lending = { isEnabled: true, isLending: true, reasons: [] };
const paused = { isEnabled: true, isLending: false, reasons: ['The disk is nearly full.', 'On battery.'] };
const off = { isEnabled: false, isLending: false, reasons: ['Switched off by the owner.'] };
const problem = {
  id: 'qemu',
  since: 0 as EpochMs,
  code: 'vm/no-qemu',
  message: 'QEMU is not installed',
  remedy: 'Install it.',
};
const run = aRun();
const two = { a: run, b: run };

interface Case {
  state: Partial<BenchState>;
  leaving?: LeavingStatus;
  expected: ReturnType<typeof trayView>;
}

describe('trayView', () => {
  it.each<Case>([
    { state: { lending }, expected: { look: 'lending', status: 'No job running, lending 4 CPUs', isEnabled: true } },
    { state: { lending: off }, expected: { look: 'off', status: 'No job running, not lending', isEnabled: false } },
    {
      state: { lending: paused },
      expected: { look: 'off', status: 'No job running, not lending: The disk is nearly full', isEnabled: true },
    },
    {
      state: { lending, runsById: two },
      expected: { look: 'running', status: '2 jobs running, lending 4 CPUs', isEnabled: true },
    },
    {
      state: { lending: off, runsById: { a: run } },
      expected: { look: 'running', status: '1 job running, not lending', isEnabled: false },
    },
    {
      state: { lending, runsById: { a: run }, problems: [problem] },
      expected: { look: 'problem', status: '1 job running, lending 4 CPUs, 1 problem', isEnabled: true },
    },
    {
      state: { lending: paused, runsById: two },
      leaving: 'waiting',
      expected: { look: 'running', status: 'Quitting when 2 jobs have ended', isEnabled: true },
    },
    {
      state: { lending: paused, runsById: { a: run } },
      leaving: 'waiting',
      expected: { look: 'running', status: 'Quitting when 1 job has ended', isEnabled: true },
    },
    {
      state: { lending: paused, runsById: { a: run } },
      leaving: 'stopping',
      expected: { look: 'running', status: 'Stopping 1 job', isEnabled: true },
    },
  ])('shows $expected.status', ({ state, leaving = 'staying', expected }) => {
    expect(trayView(aBenchState({ capacity, ...state }), leaving)).toEqual(expected);
  });
});
