import type { EpochMs } from '../../../electron/contract/ids.ts';
import type { Clock } from '../../../electron/core/platform/clock.ts';
import type { StoredArtifact } from './artifact-store.ts';
import type { FullJobSpec } from './job-spec.ts';
import { limits } from './limits.ts';
import type { FakeManager, FakeRunner } from './runners.ts';

/** GitLab's words; `created` waits for other jobs, `pending` for a runner. */
export type JobState = 'created' | 'pending' | 'running' | 'canceling' | 'success' | 'failed' | 'canceled' | 'skipped';

export type FinalJobState = 'success' | 'failed' | 'canceled' | 'skipped';

export type JobUpdateKind = 'request' | 'put' | 'patch' | 'upload' | 'download';

/** One request about a job, as it was answered. */
export interface JobUpdate {
  at: EpochMs;
  kind: JobUpdateKind;
  /** The HTTP status of the answer. */
  status: number;
  /** The `state` of a `put`. */
  state?: string;
}

export type JobChange =
  | { kind: 'job-state'; job: FakeJob; state: JobState }
  | { kind: 'trace'; job: FakeJob; sizeBytes: number }
  | { kind: 'artifact'; job: FakeJob; artifact: StoredArtifact };

export interface FakeJobDeps {
  clock: Clock;
  onChange(change: JobChange): void;
}

const finalStates: ReadonlySet<string> = new Set(['success', 'failed', 'canceled', 'skipped']);

/** A job in GitLab's hands: its state, its trace, what was uploaded, and every request made about it. */
export class FakeJob {
  readonly id: number;
  /** Job token, known to the runner from the moment it is handed out. */
  readonly token: string;
  readonly spec: FullJobSpec;
  readonly createdAt: EpochMs;
  readonly updates: JobUpdate[] = [];
  readonly artifacts: StoredArtifact[] = [];
  /** Resolves with the final state. */
  readonly finished: Promise<FinalJobState>;
  isErased = false;
  /** The runner asked for a restricted log (`debug_trace=true`). */
  hasDebugTrace = false;
  /** When the job was last heard of, for the sweeper. */
  updatedAt: EpochMs;
  /** Final updates answered 202 so far, and when the first one came. */
  accepted: { count: number; since: EpochMs } | null = null;
  #state: JobState = 'created';
  #failureReason: string | null = null;
  #exitCode: number | null = null;
  #startedAt: EpochMs | null = null;
  #finishedAt: EpochMs | null = null;
  #runner: FakeRunner | null = null;
  #manager: FakeManager | null = null;
  #traceChunks: Buffer[] = [];
  #traceSizeBytes = 0;
  readonly #deps: FakeJobDeps;
  readonly #resolveFinished: (state: FinalJobState) => void;

  constructor(id: number, token: string, spec: FullJobSpec, deps: FakeJobDeps) {
    this.id = id;
    this.token = token;
    this.spec = spec;
    this.#deps = deps;
    this.createdAt = deps.clock.now();
    this.updatedAt = this.createdAt;
    const { promise, resolve } = Promise.withResolvers<FinalJobState>();
    this.finished = promise;
    this.#resolveFinished = resolve;
  }

  get name(): string {
    return this.spec.name;
  }

  get state(): JobState {
    return this.#state;
  }

  /** GitLab's reason, as stored; null unless failed. */
  get failureReason(): string | null {
    return this.#failureReason;
  }

  get exitCode(): number | null {
    return this.#exitCode;
  }

  get startedAt(): EpochMs | null {
    return this.#startedAt;
  }

  get finishedAt(): EpochMs | null {
    return this.#finishedAt;
  }

  get runner(): FakeRunner | null {
    return this.#runner;
  }

  /** The installation that got the job; null before. */
  get manager(): FakeManager | null {
    return this.#manager;
  }

  get isExecuting(): boolean {
    return this.#state === 'running' || this.#state === 'canceling';
  }

  get isFinished(): boolean {
    return finalStates.has(this.#state);
  }

  /** The trace as stored: the job token is masked in it. */
  get trace(): Buffer {
    if (this.#traceChunks.length > 1) this.#traceChunks = [Buffer.concat(this.#traceChunks)];
    return this.#traceChunks[0] ?? Buffer.alloc(0);
  }

  get traceSizeBytes(): number {
    return this.#traceSizeBytes;
  }

  /** What a test cares about: which states did the runner report, in order. */
  get reportedStates(): string[] {
    return this.updates.flatMap((update) => (update.state === undefined ? [] : [update.state]));
  }

  /** The archive other jobs may fetch, if there is one. */
  get archive(): StoredArtifact | undefined {
    return this.artifacts.find((artifact) => artifact.type === 'archive');
  }

  /**
   * As the button in GitLab: a running job goes to `canceling` if its manager announced `cancel_gracefully`, any other
   * is canceled at once. Silent for a finished job.
   */
  cancel(): void {
    if (this.#state === 'running' && this.#manager?.info.features?.['cancel_gracefully'] === true) {
      this.#enter('canceling');
      return;
    }
    if (this.#state !== 'canceling') this.finish('canceled');
  }

  /** Ends the job now, whatever the runner can do. */
  forceCancel(): void {
    this.finish('canceled');
  }

  /** Removes trace and artifacts; a job that executes is canceled first. Every later request about it is refused. */
  erase(): void {
    this.finish('canceled');
    this.isErased = true;
    this.#traceChunks = [];
    this.#traceSizeBytes = 0;
    this.artifacts.length = 0;
  }

  /** From `created`: all needed jobs have succeeded. */
  makePending(): void {
    if (this.#state === 'created') this.#enter('pending');
  }

  start(runner: FakeRunner, manager: FakeManager): void {
    this.#runner = runner;
    this.#manager = manager;
    this.#startedAt = this.#deps.clock.now();
    this.#enter('running');
  }

  /** Enters a final state; the first one stays. A job that is `canceling` ends `canceled` whatever is reported. */
  finish(state: FinalJobState, failureReason: string | null = null, exitCode: number | null = null): void {
    if (this.isFinished) return;
    const reached = this.#state === 'canceling' ? 'canceled' : state;
    this.#failureReason = reached === 'failed' ? (failureReason ?? 'unknown_failure') : null;
    this.#exitCode = exitCode;
    this.#finishedAt = this.#deps.clock.now();
    this.#enter(reached);
    this.#resolveFinished(reached);
  }

  appendTrace(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#traceChunks.push(bytes);
    this.#traceSizeBytes += bytes.length;
    this.#deps.onChange({ kind: 'trace', job: this, sizeBytes: this.#traceSizeBytes });
  }

  addArtifact(artifact: StoredArtifact): void {
    this.artifacts.push(artifact);
    this.#deps.onChange({ kind: 'artifact', job: this, artifact });
  }

  touch(): void {
    this.updatedAt = this.#deps.clock.now();
  }

  recordUpdate(update: JobUpdate): void {
    if (this.updates.length < limits.jobUpdates) this.updates.push(update);
  }

  #enter(state: JobState): void {
    this.#state = state;
    this.touch();
    this.#deps.onChange({ kind: 'job-state', job: this, state });
  }
}
