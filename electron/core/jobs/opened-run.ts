import type { BenchError } from '../../contract/errors.ts';

/** What the runner in the machine, and GitLab's answers to it, make known. */
export type GuestNews =
  | { kind: 'guest-seen' }
  | { kind: 'runner-asked' }
  | { kind: 'job-active' }
  | { kind: 'canceling' }
  | { kind: 'final'; state: 'success' | 'failed'; failureReason: string | null; exitCode: number | null }
  | { kind: 'forbidden' }
  | { kind: 'trace-grown'; totalBytes: number };

export interface RunHooks {
  onNews: (news: GuestNews) => void;
  /** The machine is being set up and QEMU is not yet started; then it has started. */
  onStarted: (pid: number) => void;
}

/** A run with everything it holds: run directory, sockets, machine, trace. Disposal removes what need not be kept. */
export interface OpenedRun extends AsyncDisposable {
  readonly pid: number;
  readonly traceBytes: number;
  /** Resolves when the machine has ended, whoever ended it: undefined where that was in order, else why not. */
  readonly ended: Promise<BenchError | undefined>;
  /** The job is not handed over any more. */
  withdraw(): void;
  /** Ends the machine; gives a guest that is shutting down by itself `graceMs` for it. */
  stopMachine(graceMs: number): Promise<void>;
}

/** @throws BenchError of the room where it failed; everything that was opened until then is closed again. */
export type OpenRun = (hooks: RunHooks, signal: AbortSignal) => Promise<OpenedRun>;
