import type { Clock } from '../../../electron/core/platform/clock.ts';
import { systemRandom } from '../../../electron/core/platform/random.ts';
import { FakeJob, type JobChange } from './fake-job.ts';
import type { FullJobSpec } from './job-spec.ts';
import { limits } from './limits.ts';
import { missingFeatures } from './required-features.ts';
import type { FakeManager, FakeRunner, RunnerRegistry } from './runners.ts';

export interface JobQueueDeps {
  clock: Clock;
  runners: RunnerRegistry;
  onChange(change: JobChange): void;
}

/** All jobs, in the order they came; decides which one a runner gets, and ends those that time ran out for. */
export class JobQueue implements Disposable {
  readonly #deps: JobQueueDeps;
  readonly #jobsById = new Map<number, FakeJob>();
  readonly #timersByJob = new Map<FakeJob, DisposableStack>();
  #lastId = 1000;

  constructor(deps: JobQueueDeps) {
    this.#deps = deps;
  }

  get jobs(): readonly FakeJob[] {
    return [...this.#jobsById.values()];
  }

  byId(id: number): FakeJob | undefined {
    return this.#jobsById.get(id);
  }

  /** The job that executes with this token. Tokens are good only while their job executes. */
  executingByToken(token: string): FakeJob | undefined {
    const job = this.byToken(token);
    return job?.isExecuting === true && !job.isErased ? job : undefined;
  }

  /** The job a token was made for, whatever its state. */
  byToken(token: string): FakeJob | undefined {
    // The token names its job, so that 200 jobs at once need no search.
    const id = /^glcbt-[0-9]+_([0-9]+)_/.exec(token)?.[1];
    const job = id === undefined ? undefined : this.#jobsById.get(Number(id));
    return job?.token === token ? job : undefined;
  }

  add(spec: FullJobSpec): FakeJob {
    this.#lastId += 1;
    const id = this.#lastId;
    const token = `glcbt-64_${id}_${systemRandom.base62(20)}`;
    const job = new FakeJob(id, token, spec, {
      clock: this.#deps.clock,
      onChange: (change) => this.#changed(change),
    });
    this.#jobsById.set(id, job);
    this.#review(job);
    return job;
  }

  /**
   * The oldest job this runner may have, running from now on. Jobs that its request cannot satisfy fail on the way:
   * GitLab does not leave them for another runner.
   * @param features `info.features` of the request itself, not what is stored of the manager.
   */
  take(runner: FakeRunner, manager: FakeManager, features: Readonly<Record<string, unknown>>): FakeJob | undefined {
    for (const job of this.#jobsById.values()) {
      if (job.state !== 'pending') continue;
      if (job.spec.runner !== null && job.spec.runner !== runner) continue;
      if (missingFeatures(job.spec, features).length > 0) {
        job.finish('failed', 'runner_unsupported');
        continue;
      }
      if (job.spec.dependencies.some((dependency) => dependency.isErased)) {
        job.finish('failed', 'missing_dependency_failure');
        continue;
      }
      job.start(runner, manager);
      return job;
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    for (const timers of this.#timersByJob.values()) timers.dispose();
    this.#timersByJob.clear();
  }

  #changed(change: JobChange): void {
    if (change.kind === 'job-state') {
      const { job } = change;
      if (job.state === 'running') this.#startTimers(job);
      if (job.isFinished) this.#settle(job);
    }
    this.#deps.onChange(change);
  }

  #settle(job: FakeJob): void {
    this.#timersByJob.get(job)?.dispose();
    this.#timersByJob.delete(job);
    for (const other of this.#jobsById.values()) {
      if (other.state === 'created' && waitsFor(other).includes(job)) this.#review(other);
    }
  }

  /** Moves a job that waits for others as far as they allow. */
  #review(job: FakeJob): void {
    const needed = waitsFor(job);
    if (needed.some((other) => other.isFinished && other.state !== 'success')) {
      job.finish('skipped');
      return;
    }
    if (needed.every((other) => other.state === 'success')) {
      job.makePending();
      for (const runner of this.#deps.runners.all) {
        if (job.spec.runner === null || job.spec.runner === runner) runner.tick();
      }
    }
  }

  #startTimers(job: FakeJob): void {
    const timers = new DisposableStack();
    this.#timersByJob.set(job, timers);
    const { clock } = this.#deps;
    const hardLimitMs = job.spec.timeoutSeconds * 1000 + limits.timeoutGraceMs;
    timers.use(clock.after(hardLimitMs, () => job.finish('failed', 'server_timeout_running')));
    const watchSilence = (durationMs: number): void => {
      timers.use(
        clock.after(durationMs, () => {
          const leftMs = job.updatedAt + limits.silenceMs - clock.now();
          if (leftMs > 0) watchSilence(leftMs);
          else job.finish('failed', 'no_updates_running');
        }),
      );
    };
    watchSilence(limits.silenceMs);
  }
}

function waitsFor(job: FakeJob): readonly FakeJob[] {
  return [...job.spec.needs, ...job.spec.dependencies];
}
