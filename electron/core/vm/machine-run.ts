import { z } from 'zod';
import type { EpochMs, RunId } from '../../contract/ids.ts';
import type { PlatformDeps } from '../platform/deps.ts';
import type { Log } from '../platform/log.ts';
import { lastWords, readTail } from './console.ts';
import { ConsoleRecorder } from './console-recorder.ts';
import type { MachineStart } from './machine-start.ts';
import { readProcessRecord, writeProcessRecord } from './process-record.ts';
import { adoptQemu, type ProcessEnd, type QemuProcess, qemuLastLines, startQemu } from './qemu-process.ts';
import { Qmp } from './qmp.ts';
import type { QmpEvent } from './qmp-messages.ts';
import type { RunDirectory, RunPaths } from './run-directory.ts';
import { nextVmState, type VmEnd, type VmEvent, type VmState } from './run-state.ts';
import { defaultStopDeadlines, killAfterMs, resolvesWithin, type StopDeadlines, stopQemu } from './stop-ladder.ts';
import { VmError } from './vm-error.ts';
import type { AskedReason, StopStep, VmOutcome } from './vm-outcome.ts';

type RunDeps = Pick<PlatformDeps, 'clock' | 'files' | 'log' | 'processes'>;

interface RunOptions {
  runDirectory: Pick<RunDirectory, 'runId' | 'paths'>;
  /** How long after its start the guest's first request must have come, in milliseconds. */
  bootTimeoutMs: number;
  stopDeadlines?: Partial<StopDeadlines>;
  /** Called with each new state, also the last. Must not throw. */
  onState(state: VmState): void;
}

export interface StartOptions extends RunOptions {
  start: Omit<MachineStart, 'runId' | 'paths'>;
}

export interface AdoptOptions extends RunOptions {
  /** Whether the guest's first request was seen by the earlier process. */
  wasReady: boolean;
}

/** QEMU answers 60 ms after its start; what is left is for a host with all its CPUs and disks taken. */
const attachLimitMs = 20_000;
/** Once QEMU has ended, its last events and console bytes are in our sockets already. */
const drainLimitMs = 2_000;
const quotedLineCount = 6;
const statusSchema = z.object({ status: z.string() });

/**
 * Supervises one machine from the start of QEMU to its end: feeds what it sees to `nextVmState` and does what follows.
 * QEMU outlives this process; `detach` leaves it running, disposal stops it. The run directory is its owner's to remove.
 */
export class MachineRun implements AsyncDisposable {
  readonly runId: RunId;
  /** Resolves when QEMU has ended and its last words are read; never after `detach`. Does not reject. */
  readonly finished: Promise<VmOutcome>;
  readonly #deps: RunDeps;
  readonly #log: Log;
  readonly #options: RunOptions;
  readonly #paths: RunPaths;
  readonly #attached: Attached;
  readonly #detaching = new AbortController();
  #state: VmState = { phase: 'preparing' };
  #bootTimer: Disposable | undefined;
  #stopStep: StopStep | null = null;
  #shutdown: VmEnd['shutdown'] = null;
  #hasPanicked = false;

  private constructor(deps: RunDeps, options: RunOptions, attached: Attached, startedAt: EpochMs) {
    this.#deps = deps;
    this.#options = options;
    this.#attached = attached;
    this.runId = options.runDirectory.runId;
    this.#paths = options.runDirectory.paths;
    this.#log = deps.log.child({ runId: this.runId });
    const readyBy = (startedAt + options.bootTimeoutMs) as EpochMs;
    attached.qmp.listen((event) => this.#onEvent(event));
    this.#feed({ kind: 'started', pid: attached.process.pid, readyBy });
    this.#bootTimer = deps.clock.after(Math.max(0, readyBy - deps.clock.now()), () => this.#onBootDeadline());
    this.finished = this.#untilEnd();
  }

  /**
   * Starts QEMU in a run directory that has its overlay, and lets the guest run.
   * @param signal Ends the start, and a QEMU that was started by then; afterwards it has no effect.
   * @throws VmError `vm/qemu-missing`; `vm/start-failed` with what QEMU said.
   */
  static async start(deps: RunDeps, options: StartOptions, signal: AbortSignal): Promise<MachineRun> {
    signal.throwIfAborted();
    const { runId, paths } = options.runDirectory;
    options.onState({ phase: 'preparing' });
    const startedAt = deps.clock.now();
    const process = await startQemu(deps, { ...options.start, runId, paths });
    let attached: Attached | undefined;
    try {
      const { pid, startTime } = process;
      await writeProcessRecord(deps, paths, { pid, startTime, qemuPath: options.start.qemu.path, startedAt });
      attached = await attach(deps, paths, process, signal);
      const run = new MachineRun(deps, options, attached, startedAt);
      await attached.qmp.execute('cont', undefined, signal);
      return run;
    } catch (error) {
      // A QEMU that hangs up is ending by itself, and its exit code is worth a moment.
      if (isHangUp(error)) await resolvesWithin(deps, process.exited, drainLimitMs);
      await process.kill();
      const end = await process.exited;
      await attached?.[Symbol.asyncDispose]();
      signal.throwIfAborted();
      throw await startError(deps, paths, end, error);
    }
  }

  /**
   * Takes over the machine of an earlier process, as the run directory tells of it.
   * @returns undefined where it runs no more.
   * @throws VmError where it runs and cannot be reached; see `endLeftovers` for that.
   */
  static async adopt(deps: RunDeps, options: AdoptOptions, signal: AbortSignal): Promise<MachineRun | undefined> {
    const { paths } = options.runDirectory;
    const record = await readProcessRecord(deps, paths);
    if (record === undefined) return undefined;
    const watching = new AbortController();
    const process = await adoptQemu(deps, paths, record, watching.signal);
    if (process === undefined) return undefined;
    try {
      const attached = await attach(deps, paths, process, signal);
      const run = new MachineRun(deps, options, attached, record.startedAt);
      run.#detaching.signal.addEventListener('abort', () => watching.abort(), { once: true });
      if (options.wasReady) run.markReady();
      await run.#checkStatus();
      return run;
    } catch (error) {
      watching.abort();
      throw error;
    }
  }

  get state(): VmState {
    return this.#state;
  }

  get pid(): number {
    return this.#attached.process.pid;
  }

  /** To be called when the guest's first request was seen. */
  markReady(): void {
    this.#bootTimer?.[Symbol.dispose]();
    this.#feed({ kind: 'ready', at: this.#deps.clock.now() });
  }

  /**
   * Ends the machine: waits for a guest that is shutting down by itself, presses its power button, then has QEMU quit,
   * then kills it, each by deadline. Where it is being stopped already, that goes on as it began.
   */
  stop(why: AskedReason, deadlines: Partial<StopDeadlines> = {}): Promise<VmOutcome> {
    this.#beginStop(deadlines, (killAt) => ({ kind: 'stop-requested', why, killAt }));
    return this.finished;
  }

  /** Lets go of the machine and leaves it running, for the next process to adopt. */
  async detach(): Promise<void> {
    this.#detaching.abort();
    this.#bootTimer?.[Symbol.dispose]();
    await this.#attached[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#detaching.signal.aborted) await this.stop('closing');
  }

  /** @returns The state now: the same object as before where the event changed nothing. */
  #feed(event: VmEvent): VmState {
    const next = nextVmState(this.#state, event);
    if (next !== this.#state) {
      this.#state = next;
      this.#options.onState(next);
    }
    return next;
  }

  #beginStop(deadlines: Partial<StopDeadlines>, eventOf: (killAt: EpochMs) => VmEvent): void {
    const all = { ...defaultStopDeadlines, ...this.#options.stopDeadlines, ...deadlines };
    const before = this.#state;
    const after = this.#feed(eventOf((this.#deps.clock.now() + killAfterMs(all)) as EpochMs));
    if (after === before || after.phase !== 'stopping') return;
    this.#bootTimer?.[Symbol.dispose]();
    void stopQemu(this.#deps, this.#attached, all, (step) => {
      this.#stopStep = step;
    });
  }

  #onBootDeadline(): void {
    this.#beginStop({ powerOffGraceMs: 0, powerdownMs: 0 }, (killAt) => ({ kind: 'boot-deadline-passed', killAt }));
  }

  #onEvent(event: QmpEvent): void {
    switch (event.name) {
      case 'SHUTDOWN':
        this.#shutdown = { isGuest: event.data.guest, reason: event.data.reason };
        break;
      case 'GUEST_PANICKED':
        this.#onPanic();
        break;
      case 'BLOCK_IO_ERROR':
        // Where the host's disk is full QEMU pauses the machine, which the next event says; other errors the guest is told.
        this.#log.warn({ ...event.data }, 'a disk of the machine failed');
        break;
      case 'STOP':
        void this.#checkStatus().catch((error: unknown) => this.#log.debug({ error }, 'machine status is not known'));
        break;
      case 'POWERDOWN':
      case 'RESET':
      case 'RESUME':
      case 'WATCHDOG':
        this.#log.debug({ event: event.name }, 'machine event');
        break;
    }
  }

  /** By default QEMU now ends by itself; it is given a moment for that. */
  #onPanic(): void {
    this.#hasPanicked = true;
    this.#beginStop({ powerOffGraceMs: 1_000, powerdownMs: 0 }, (killAt) => ({ kind: 'guest-panicked', killAt }));
  }

  /** A machine that does not run although nobody paused it: why, and what follows. */
  async #checkStatus(): Promise<void> {
    const { status } = statusSchema.parse(await this.#attached.qmp.execute('query-status'));
    switch (status) {
      case 'io-error':
        // Going on would need the owner to make room within the job's timeout.
        this.#beginStop({ powerOffGraceMs: 0, powerdownMs: 0 }, (killAt) => ({ kind: 'disk-filled', killAt }));
        break;
      case 'internal-error':
        this.#beginStop({ powerOffGraceMs: 0, powerdownMs: 0 }, (killAt) => ({ kind: 'qemu-broke', killAt }));
        break;
      case 'guest-panicked':
        this.#onPanic();
        break;
      case 'prelaunch':
        // An earlier process of ours ended between starting QEMU and letting the guest run.
        await this.#attached.qmp.execute('cont');
        break;
      default:
        this.#log.debug({ status }, 'machine status');
    }
  }

  async #untilEnd(): Promise<VmOutcome> {
    const { process, qmp, recorder } = this.#attached;
    const { exitCode, signal } = await process.exited;
    if (this.#detaching.signal.aborted) return new Promise<never>(() => {});
    this.#bootTimer?.[Symbol.dispose]();
    // Helpers of QEMU may hold the console open a little longer; its last lines are not worth more waiting.
    await resolvesWithin(this.#deps, Promise.all([qmp.closed, recorder.ended]), drainLimitMs);
    await this.#attached[Symbol.asyncDispose]();
    const { lines: consoleLines, hasPanicked: hasPrintedPanic } = await this.#lastWords();
    const shutdown = this.#shutdown;
    // Without the pvpanic module a panic shows as a reset, and on the console.
    const hasPanicked = this.#hasPanicked || (shutdown?.reason === 'guest-reset' && hasPrintedPanic);
    const qemuLines = await qemuLastLines(this.#deps, this.#paths).catch(() => []);
    const stopStep = this.#stopStep;
    const end: VmEnd = { exitCode, signal, shutdown, hasPanicked, stopStep, consoleLines, qemuLines };
    const last = this.#feed({ kind: 'ended', ...end });
    if (last.phase !== 'finished') throw new Error('unreachable: every state is finished by the end of its process');
    // Not the whole outcome: it quotes the console, where a job may print what it likes.
    this.#log.info({ outcome: last.outcome.kind, exitCode, signal }, 'machine ended');
    return last.outcome;
  }

  async #lastWords() {
    const { tail } = this.#attached.recorder;
    const isOfAnEarlierProcess = tail.length === 0;
    const bytes = isOfAnEarlierProcess ? await readTail(this.#deps, this.#paths.consoleLog).catch(() => tail) : tail;
    return lastWords(bytes, quotedLineCount);
  }
}

/** A QEMU process and our two connections to it. Disposal hangs up and leaves the process alone. */
interface Attached extends AsyncDisposable {
  process: QemuProcess;
  qmp: Qmp;
  recorder: ConsoleRecorder;
}

async function attach(deps: RunDeps, paths: RunPaths, process: QemuProcess, signal: AbortSignal): Promise<Attached> {
  const giveUp = new AbortController();
  void process.exited.then(() => giveUp.abort(new Error('it ended')));
  using _limit = deps.clock.after(attachLimitMs, () => giveUp.abort(new Error('its control socket did not answer')));
  const qmp = await Qmp.connect(deps, paths.qmpSocket, AbortSignal.any([signal, giveUp.signal]));
  try {
    const recorder = await ConsoleRecorder.connect(deps, {
      socketPath: paths.consoleSocket,
      logPath: paths.consoleLog,
    });
    return {
      process,
      qmp,
      recorder,
      async [Symbol.asyncDispose]() {
        await Promise.all([qmp[Symbol.asyncDispose](), recorder[Symbol.asyncDispose]()]);
      },
    };
  } catch (error) {
    await qmp[Symbol.asyncDispose]();
    throw error;
  }
}

function isHangUp(error: unknown): boolean {
  return error instanceof VmError && error.code === 'vm/qmp-closed';
}

async function startError(deps: RunDeps, paths: RunPaths, end: ProcessEnd, cause: unknown): Promise<VmError> {
  const lines = await qemuLastLines(deps, paths);
  const hasEndedByItself = end.signal !== 'SIGKILL';
  const why = hasEndedByItself
    ? `it ended with ${end.signal ?? `code ${end.exitCode}`}`
    : cause instanceof Error
      ? cause.message
      : String(cause);
  const said = lines.length === 0 ? '' : `: ${lines.join(' | ')}`;
  return new VmError('vm/start-failed', `QEMU did not get going (${why})${said}`, {
    remedy: 'See what QEMU says here and in the QEMU log of the run: a missing file, or too little memory, most often.',
    cause,
  });
}
