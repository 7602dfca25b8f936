import { expect, it } from 'vitest';
import { epochMsSchema } from '../../../electron/contract/ids.ts';
import { nextVmState, type VmEnd, type VmEvent, type VmState } from '../../../electron/core/vm/run-state.ts';
import type { VmOutcome } from '../../../electron/core/vm/vm-outcome.ts';

const at = (ms: number) => epochMsSchema.parse(ms);
const killAt = at(9_000);

const states = {
  preparing: { phase: 'preparing' },
  booting: { phase: 'booting', pid: 42, readyBy: at(5_000) },
  running: { phase: 'running', pid: 42, startedAt: at(3_000) },
  stopping: { phase: 'stopping', pid: 42, why: 'owner', killAt: at(8_000), wasReady: true },
  finished: { phase: 'finished', outcome: { kind: 'host-disk-full' } },
} satisfies Record<string, VmState>;

const ended: VmEnd & { kind: 'ended' } = {
  kind: 'ended',
  exitCode: 1,
  signal: null,
  shutdown: null,
  hasPanicked: false,
  stopStep: 'quit',
  consoleLines: ['guest'],
  qemuLines: ['qemu'],
};

const events = {
  started: { kind: 'started', pid: 42, readyBy: at(5_000) },
  ready: { kind: 'ready', at: at(3_000) },
  'stop-requested': { kind: 'stop-requested', why: 'job-finished', killAt },
  'boot-deadline-passed': { kind: 'boot-deadline-passed', killAt },
  'disk-filled': { kind: 'disk-filled', killAt },
  'guest-panicked': { kind: 'guest-panicked', killAt },
  'qemu-broke': { kind: 'qemu-broke', killAt },
  ended,
} satisfies Record<VmEvent['kind'], VmEvent>;

const stopping = (why: Extract<VmState, { phase: 'stopping' }>['why'], wasReady: boolean): VmState => ({
  phase: 'stopping',
  pid: 42,
  why,
  killAt,
  wasReady,
});
const died: VmState = {
  phase: 'finished',
  outcome: { kind: 'qemu-died', exitCode: 1, signal: null, isBroken: false, lastLines: ['qemu'] },
};

/** What each event makes of each state; a pair that is not listed leaves the state as it is. */
const changes: Record<keyof typeof states, Partial<Record<VmEvent['kind'], VmState>>> = {
  preparing: { started: states.booting, ended: died },
  booting: {
    ready: states.running,
    'stop-requested': stopping('job-finished', false),
    'boot-deadline-passed': stopping('boot-timeout', false),
    'disk-filled': stopping('host-disk-full', false),
    'guest-panicked': stopping('guest-panicked', false),
    'qemu-broke': stopping('qemu-broken', false),
    ended: died,
  },
  running: {
    'stop-requested': stopping('job-finished', true),
    'disk-filled': stopping('host-disk-full', true),
    'guest-panicked': stopping('guest-panicked', true),
    'qemu-broke': stopping('qemu-broken', true),
    ended: died,
  },
  stopping: { ended: { phase: 'finished', outcome: { kind: 'stopped-by-us', why: 'owner', how: 'quit' } } },
  finished: {},
};

const pairs = Object.entries(states).flatMap(([phase, state]) =>
  Object.values(events).map((event) => ({ phase, kind: event.kind, state, event })),
);

it.each(pairs)('$phase, then $kind', ({ phase, kind, state, event }) => {
  const change = changes[phase as keyof typeof changes][kind];
  if (change === undefined) expect(nextVmState(state, event)).toBe(state);
  else expect(nextVmState(state, event)).toEqual(change);
});

const guestOff = { isGuest: true, reason: 'guest-shutdown' };
it.each<{ name: string; state: VmState; end: Partial<VmEnd>; outcome: VmOutcome }>([
  {
    name: 'a guest that powers off while booting',
    state: states.booting,
    end: { shutdown: guestOff, exitCode: 0 },
    outcome: { kind: 'guest-powered-off', how: 'shutdown', wasReady: false, consoleLines: ['guest'] },
  },
  {
    name: 'a guest that resets under its job',
    state: states.running,
    end: { shutdown: { isGuest: true, reason: 'guest-reset' }, exitCode: 0 },
    outcome: { kind: 'guest-powered-off', how: 'reset', wasReady: true, consoleLines: ['guest'] },
  },
  {
    name: 'a panic that only the console tells of',
    state: states.booting,
    end: { shutdown: { isGuest: true, reason: 'guest-reset' }, hasPanicked: true },
    outcome: { kind: 'guest-panicked', wasReady: false, consoleLines: ['guest'] },
  },
  {
    name: 'a reported panic',
    state: stopping('guest-panicked', true),
    end: { hasPanicked: true },
    outcome: { kind: 'guest-panicked', wasReady: true, consoleLines: ['guest'] },
  },
  {
    name: 'a QEMU that someone else told to end',
    state: states.running,
    end: { shutdown: { isGuest: false, reason: 'host-signal' }, exitCode: 0 },
    outcome: { kind: 'qemu-died', exitCode: 0, signal: null, isBroken: false, lastLines: ['qemu'] },
  },
  {
    name: 'a QEMU that is killed in the middle of a shutdown',
    state: states.running,
    end: { shutdown: guestOff, exitCode: null, signal: 'SIGKILL' },
    outcome: { kind: 'qemu-died', exitCode: null, signal: 'SIGKILL', isBroken: false, lastLines: ['qemu'] },
  },
  {
    name: 'a QEMU that is broken',
    state: stopping('qemu-broken', true),
    end: { exitCode: 0 },
    outcome: { kind: 'qemu-died', exitCode: null, signal: null, isBroken: true, lastLines: ['qemu'] },
  },
  {
    name: 'a boot that took too long',
    state: stopping('boot-timeout', false),
    end: {},
    outcome: { kind: 'boot-timeout', consoleLines: ['guest'] },
  },
  { name: 'a full disk', state: stopping('host-disk-full', true), end: {}, outcome: { kind: 'host-disk-full' } },
  {
    name: 'a machine that ended before the first step',
    state: states.stopping,
    end: { stopStep: null },
    outcome: { kind: 'stopped-by-us', why: 'owner', how: 'guest' },
  },
])('finishes as what it was: $name', ({ state, end, outcome }) => {
  expect(nextVmState(state, { ...ended, ...end })).toEqual({ phase: 'finished', outcome });
});
