import type { Blame } from '../../contract/errors.ts';
import { VmError } from './vm-error.ts';

/** Why whoever runs the machine wants it ended. */
export type AskedReason = 'job-finished' | 'job-canceled' | 'job-timeout' | 'owner' | 'closing';

/** What ended a machine that was asked to end: its own shutdown, the power button, QMP `quit`, SIGKILL. */
export type StopStep = 'guest' | 'powerdown' | 'quit' | 'kill';

/** How a machine ended. `wasReady`: its guest had spoken to us, so what follows may be the job's doing. */
export type VmOutcome =
  | { kind: 'stopped-by-us'; why: AskedReason; how: StopStep }
  | { kind: 'guest-powered-off'; how: 'shutdown' | 'reset'; wasReady: boolean; consoleLines: readonly string[] }
  | { kind: 'guest-panicked'; wasReady: boolean; consoleLines: readonly string[] }
  /** `exitCode` and `signal` are null where QEMU was no child of ours, or was broken and had to be ended. */
  | {
      kind: 'qemu-died';
      exitCode: number | null;
      signal: string | null;
      isBroken: boolean;
      lastLines: readonly string[];
    }
  | { kind: 'boot-timeout'; consoleLines: readonly string[] }
  | { kind: 'host-disk-full' };

/** The outcome as an error with a remedy; undefined where the machine ended because we asked it to. */
export function vmErrorOf(outcome: VmOutcome): VmError | undefined {
  switch (outcome.kind) {
    case 'stopped-by-us':
      return undefined;
    case 'guest-powered-off': {
      const what = outcome.how === 'reset' ? 'restarted' : 'switched itself off';
      const when = outcome.wasReady ? 'before its job had ended' : 'before its runner had called';
      return new VmError('vm/powered-off', `The machine ${what} ${when}${quoted(outcome.consoleLines)}`, {
        remedy: outcome.wasReady
          ? 'A job must not switch its machine off or restart it. Look at the console of the run.'
          : 'The image does not boot as it should. Look at the console of the run, and build or choose another image.',
        blame: blameFor(outcome.wasReady),
      });
    }
    case 'guest-panicked':
      return new VmError('vm/panicked', `The kernel in the machine panicked${quoted(outcome.consoleLines)}`, {
        remedy: outcome.wasReady
          ? 'Look at the console of the run; where memory ran out, give the machine more.'
          : 'The image does not boot with this kernel. Build or choose another image, or give the machine more memory.',
        blame: blameFor(outcome.wasReady),
      });
    case 'qemu-died':
      return new VmError('vm/died', `QEMU ${howItDied(outcome)}${quoted(outcome.lastLines)}`, {
        remedy:
          outcome.signal === 'SIGKILL'
            ? 'Something killed it, most often a PC out of memory: lend less memory, or keep more free.'
            : 'Look at the QEMU log of the run. If it happens again, upgrade QEMU or report it with this log.',
      });
    case 'boot-timeout':
      return new VmError('vm/boot-timeout', `The machine was not ready in time${quoted(outcome.consoleLines)}`, {
        remedy: 'If this PC was busy, lend less of it; otherwise look at the console of the run.',
      });
    case 'host-disk-full':
      return new VmError('vm/disk-full', 'The disk of this PC is full, so the machine was ended', {
        remedy: 'Free space where run directories are kept, or lend less disk.',
      });
  }
}

/** A guest that has not spoken yet runs nothing but our image; after that, everything may be the job's doing. */
function blameFor(wasReady: boolean): Blame {
  return wasReady ? 'job' : 'host';
}

function howItDied({ exitCode, signal, isBroken }: Extract<VmOutcome, { kind: 'qemu-died' }>): string {
  if (isBroken) return 'could not run the machine any further (internal error)';
  if (signal !== null) return `was ended by ${signal}`;
  return exitCode === null ? 'has ended, nobody asked it to' : `ended with code ${exitCode}, nobody asked it to`;
}

function quoted(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `: ${lines.join(' | ')}`;
}
