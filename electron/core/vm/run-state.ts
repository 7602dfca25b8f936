import type { EpochMs } from '../../contract/ids.ts';
import type { AskedReason, StopStep, VmOutcome } from './vm-outcome.ts';

/** Why a machine is being stopped: someone asked, or it cannot go on. */
export type StopReason = AskedReason | 'boot-timeout' | 'host-disk-full' | 'guest-panicked' | 'qemu-broken';

/** Where a machine is in its life. */
export type VmState =
  | { phase: 'preparing' }
  | { phase: 'booting'; pid: number; readyBy: EpochMs }
  | { phase: 'running'; pid: number; startedAt: EpochMs }
  /** `killAt` is when SIGKILL comes at the latest. */
  | { phase: 'stopping'; pid: number; why: StopReason; killAt: EpochMs; wasReady: boolean }
  | { phase: 'finished'; outcome: VmOutcome };

/** What was seen when QEMU had ended. */
export interface VmEnd {
  exitCode: number | null;
  signal: string | null;
  /** QEMU's last word, from its SHUTDOWN event; null where it had no time for one. */
  shutdown: { isGuest: boolean; reason: string } | null;
  /** The guest's kernel said so, to QEMU or on the console. */
  hasPanicked: boolean;
  /** The last step taken to stop it; null where none was. */
  stopStep: StopStep | null;
  consoleLines: readonly string[];
  qemuLines: readonly string[];
}

export type VmEvent =
  | { kind: 'started'; pid: number; readyBy: EpochMs }
  /** The guest's first request was seen. */
  | { kind: 'ready'; at: EpochMs }
  | { kind: 'stop-requested'; why: AskedReason; killAt: EpochMs }
  | { kind: 'boot-deadline-passed'; killAt: EpochMs }
  | { kind: 'disk-filled'; killAt: EpochMs }
  | { kind: 'guest-panicked'; killAt: EpochMs }
  /** QEMU is there and says that it cannot run the machine any further: status `internal-error`. */
  | { kind: 'qemu-broke'; killAt: EpochMs }
  | ({ kind: 'ended' } & VmEnd);

/** The state after `event`. Pure; an event that comes too late, or too early, leaves the state as it is. */
export function nextVmState(state: VmState, event: VmEvent): VmState {
  if (state.phase === 'finished') return state;
  switch (event.kind) {
    case 'started':
      return state.phase === 'preparing' ? { phase: 'booting', pid: event.pid, readyBy: event.readyBy } : state;
    case 'ready':
      return state.phase === 'booting' ? { phase: 'running', pid: state.pid, startedAt: event.at } : state;
    case 'stop-requested':
      return stopping(state, event.why, event.killAt);
    case 'boot-deadline-passed':
      return state.phase === 'booting' ? stopping(state, 'boot-timeout', event.killAt) : state;
    case 'disk-filled':
      return stopping(state, 'host-disk-full', event.killAt);
    case 'guest-panicked':
      return stopping(state, 'guest-panicked', event.killAt);
    case 'qemu-broke':
      return stopping(state, 'qemu-broken', event.killAt);
    case 'ended':
      return { phase: 'finished', outcome: outcomeOf(state, event) };
  }
}

/** The first reason to stop is the one that counts. */
function stopping(state: VmState, why: StopReason, killAt: EpochMs): VmState {
  if (state.phase !== 'booting' && state.phase !== 'running') return state;
  return { phase: 'stopping', pid: state.pid, why, killAt, wasReady: state.phase === 'running' };
}

function outcomeOf(state: Exclude<VmState, { phase: 'finished' }>, end: VmEnd): VmOutcome {
  const { consoleLines } = end;
  if (state.phase === 'stopping') {
    switch (state.why) {
      case 'boot-timeout':
        return { kind: 'boot-timeout', consoleLines };
      case 'host-disk-full':
        return { kind: 'host-disk-full' };
      case 'guest-panicked':
        return { kind: 'guest-panicked', wasReady: state.wasReady, consoleLines };
      case 'qemu-broken':
        return { kind: 'qemu-died', exitCode: null, signal: null, isBroken: true, lastLines: end.qemuLines };
      default:
        return { kind: 'stopped-by-us', why: state.why, how: end.stopStep ?? 'guest' };
    }
  }
  const wasReady = state.phase === 'running';
  if (end.hasPanicked) return { kind: 'guest-panicked', wasReady, consoleLines };
  if (end.shutdown?.isGuest === true && end.signal === null) {
    const how = end.shutdown.reason === 'guest-reset' ? 'reset' : 'shutdown';
    return { kind: 'guest-powered-off', how, wasReady, consoleLines };
  }
  const { exitCode, signal, qemuLines: lastLines } = end;
  return { kind: 'qemu-died', exitCode, signal, isBroken: false, lastLines };
}
