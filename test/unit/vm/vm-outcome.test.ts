import { expect, it } from 'vitest';
import { type VmOutcome, vmErrorOf } from '../../../electron/core/vm/vm-outcome.ts';

const consoleLines = ['one', 'two'];
const died = { kind: 'qemu-died', exitCode: 1, signal: null, isBroken: false, lastLines: ['no memory'] } as const;

it('makes no error of a machine that was asked to stop', () => {
  expect(vmErrorOf({ kind: 'stopped-by-us', why: 'owner', how: 'kill' })).toBe(undefined);
});

it.each<{ outcome: VmOutcome; code: string; blame: string; message: string }>([
  {
    outcome: { kind: 'guest-powered-off', how: 'shutdown', wasReady: true, consoleLines },
    code: 'vm/powered-off',
    blame: 'job',
    message: 'The machine switched itself off before its job had ended: one | two',
  },
  {
    outcome: { kind: 'guest-powered-off', how: 'reset', wasReady: false, consoleLines: [] },
    code: 'vm/powered-off',
    blame: 'host',
    message: 'The machine restarted before its runner had called',
  },
  {
    outcome: { kind: 'guest-panicked', wasReady: true, consoleLines },
    code: 'vm/panicked',
    blame: 'job',
    message: 'The kernel in the machine panicked: one | two',
  },
  {
    outcome: { kind: 'guest-panicked', wasReady: false, consoleLines },
    code: 'vm/panicked',
    blame: 'host',
    message: 'The kernel in the machine panicked: one | two',
  },
  {
    outcome: died,
    code: 'vm/died',
    blame: 'host',
    message: 'QEMU ended with code 1, nobody asked it to: no memory',
  },
  {
    outcome: { ...died, exitCode: null, signal: 'SIGKILL', lastLines: [] },
    code: 'vm/died',
    blame: 'host',
    message: 'QEMU was ended by SIGKILL',
  },
  {
    outcome: { ...died, exitCode: null },
    code: 'vm/died',
    blame: 'host',
    message: 'QEMU has ended, nobody asked it to: no memory',
  },
  {
    outcome: { ...died, isBroken: true },
    code: 'vm/died',
    blame: 'host',
    message: 'QEMU could not run the machine any further (internal error): no memory',
  },
  {
    outcome: { kind: 'boot-timeout', consoleLines },
    code: 'vm/boot-timeout',
    blame: 'host',
    message: 'The machine was not ready in time: one | two',
  },
  {
    outcome: { kind: 'host-disk-full' },
    code: 'vm/disk-full',
    blame: 'host',
    message: 'The disk of this PC is full, so the machine was ended',
  },
])('says $code and blames $blame: $message', ({ outcome, code, blame, message }) => {
  const error = vmErrorOf(outcome);
  expect({ code: error?.code, blame: error?.blame, message: error?.message }).toEqual({ code, blame, message });
  expect(error?.remedy).toMatch(/\w+.*\.$/);
});
