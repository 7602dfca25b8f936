import { BenchError, toWireError } from '../../contract/errors.ts';
import type { EpochMs, RunId, RunnerId } from '../../contract/ids.ts';
import type { PhaseMark, RunPhase, RunView } from '../../contract/state.ts';
import type { AcceptedJob } from '../gitlab/accepted-job.ts';
import type { JobApi } from '../gitlab/job-api.ts';
import type { PlatformDeps } from '../platform/deps.ts';
import { type Conclusion, outcomeOf, reportFor } from './conclusion.ts';
import { JobError } from './job-error.ts';
import { keepAlive } from './keep-alive.ts';
import type { Ledger } from './ledger.ts';
import type { GuestNews, OpenedRun, OpenRun } from './opened-run.ts';
import { reportEnd } from './report-end.ts';

/** After the job's own timeout: the runner ends it itself, unless it hangs (protocol document 8.3). */
const watchdogSlackMs = 3 * 60_000;
/** after_script (5 min by default) and its slack (protocol document 4.6). */
const cancelingSlackMs = 10 * 60_000;
/** GitLab ends a job by itself at its timeout and 15 minutes (protocol document 4.7). */
const giveUpSlackMs = 15 * 60_000;
/** How long a guest whose job has ended may take to power itself off. */
const powerOffGraceMs = 10_000;

export interface JobRunOptions {
  runId: RunId;
  runner: RunnerId;
  gitlabUrl: string;
  machine: string;
  image: string;
  job: AcceptedJob;
  /** When the room for it was reserved. */
  reservedAt: EpochMs;
  api: Pick<JobApi, 'update' | 'appendTrace'>;
  ledger: Pick<Ledger, 'add' | 'remove'>;
  /** Why this job must not be run here, or undefined. */
  refusal: BenchError | undefined;
  open: OpenRun;
  onChange: (run: RunView) => void;
  onTraceGrown: (runId: RunId, totalBytes: number) => void;
}

type FinishedRun = Extract<RunView, { phase: 'finished' }>;

/**
 * The life of one accepted job: ledger, keep-alive, machine, hand-over, one honest end. Nothing throws out of `run`:
 * whatever breaks becomes the job's end.
 */
export class JobRun {
  readonly #deps: Pick<PlatformDeps, 'clock' | 'random' | 'log'>;
  readonly #options: JobRunOptions;
  readonly #timeline: PhaseMark[];
  readonly #concluded = Promise.withResolvers<Conclusion>();
  /** Ends what runs beside the job as soon as there is a conclusion. */
  readonly #scope = new AbortController();
  readonly #timers = new DisposableStack();
  #isConcluded = false;
  #isCanceling = false;
  #isActive = false;
  #pid = 0;
  #traceBytes = 0;

  constructor(deps: Pick<PlatformDeps, 'clock' | 'random' | 'log'>, options: JobRunOptions) {
    this.#deps = { ...deps, log: deps.log.child({ runId: options.runId, jobId: options.job.id }) };
    this.#options = options;
    this.#timeline = [{ phase: 'reserved', at: options.reservedAt }];
  }

  /** Ends the job now; GitLab is told why. Does nothing once the job has come to its end. */
  stop(error: JobError): void {
    this.#conclude({ kind: 'failed', error });
  }

  /**
   * @param signal Aborted when the app must end at once: the ledger record then stays for the next start.
   * @returns The row of history.
   */
  async run(signal: AbortSignal): Promise<FinishedRun> {
    const { ledger, refusal, job } = this.#options;
    try {
      ledger.add(this.#record());
    } catch (error) {
      this.#fail(error);
    }
    this.#enter('accepted');
    this.#deps.log.info({ project: job.view.projectPath, name: job.view.name }, 'job accepted');
    if (refusal !== undefined) this.#conclude({ kind: 'failed', error: refusal });

    using timers = this.#timers;
    timers.use(this.#deps.clock.after(this.#untilMs(watchdogSlackMs), () => this.#fail(this.#deadlineError())));
    const alive = this.#watchKeepAlive();
    const opened = this.#isConcluded ? undefined : await this.#open();
    const conclusion = await this.#concluded.promise;
    await alive;
    await this.#finish(conclusion, opened, signal);
    return this.#finished(conclusion);
  }

  async #open(): Promise<OpenedRun | undefined> {
    this.#enter('preparing');
    try {
      const hooks = { onNews: (news: GuestNews) => this.#hear(news), onStarted: (pid: number) => this.#started(pid) };
      const opened = await this.#options.open(hooks, this.#scope.signal);
      void opened.ended.then((error) => this.#fail(error ?? machineEnded()));
      return opened;
    } catch (error) {
      // An abort here has its conclusion already; anything else becomes one.
      this.#fail(error);
      return undefined;
    }
  }

  #started(pid: number): void {
    this.#pid = pid;
    this.#enter('booting');
  }

  #hear(news: GuestNews): void {
    switch (news.kind) {
      case 'guest-seen':
        break;
      case 'runner-asked':
        this.#enter('ready');
        break;
      case 'job-active':
        this.#isActive = true;
        this.#enter('running');
        break;
      case 'canceling':
        this.#beCanceling();
        break;
      case 'final':
        this.#conclude({ ...news, kind: 'reported', isCanceled: this.#isCanceling });
        break;
      case 'forbidden':
        this.#conclude({ kind: 'forbidden' });
        break;
      case 'trace-grown':
        this.#traceBytes = news.totalBytes;
        this.#options.onTraceGrown(this.#options.runId, news.totalBytes);
        break;
    }
  }

  /** Runs until the machine's runner speaks for the job itself, or the job is over. */
  async #watchKeepAlive(): Promise<void> {
    const news = await keepAlive(this.#deps, this.#options.api, this.#scope.signal);
    if (news === undefined) return;
    // The runner in the machine may have taken over while our request was on its way.
    if (news.kind === 'canceling' && this.#isActive) this.#beCanceling();
    else this.#conclude(news.kind === 'canceling' ? { kind: 'canceled-early' } : { kind: 'forbidden' });
  }

  #beCanceling(): void {
    if (this.#isCanceling || this.#isConcluded) return;
    this.#isCanceling = true;
    this.#timers.use(this.#deps.clock.after(cancelingSlackMs, () => this.#fail(cancelingUnanswered())));
    this.#publish();
  }

  #fail(error: unknown): void {
    if (error instanceof BenchError) {
      this.#conclude({ kind: 'failed', error });
      return;
    }
    if (this.#isConcluded) return;
    this.#deps.log.error({ error }, 'a run failed unexpectedly');
    const { code, message, remedy } = toWireError(error);
    this.#conclude({ kind: 'failed', error: new BenchError(code, message, { remedy, cause: error }) });
  }

  #conclude(conclusion: Conclusion): void {
    if (this.#isConcluded) return;
    this.#isConcluded = true;
    this.#scope.abort();
    this.#concluded.resolve(conclusion);
  }

  async #finish(conclusion: Conclusion, opened: OpenedRun | undefined, signal: AbortSignal): Promise<void> {
    this.#enter('finishing', outcomeOf(conclusion, this.#options.job).why);
    try {
      opened?.withdraw();
      // First the machine, so that nothing speaks for the job beside us; then the report.
      await opened?.stopMachine(conclusion.kind === 'reported' ? powerOffGraceMs : 0);
      await this.#report(conclusion, opened?.traceBytes ?? 0, signal);
    } catch (error) {
      // GitLab was not told: the record stays, and the next start tells it.
      this.#deps.log.warn({ error }, 'the end of a job is left to the next start');
    }
    try {
      await opened?.[Symbol.asyncDispose]();
    } catch (error) {
      this.#deps.log.error({ error }, 'a run could not be cleaned up');
    }
  }

  async #report(conclusion: Conclusion, traceBytes: number, signal: AbortSignal): Promise<void> {
    const { api, job, ledger, runId } = this.#options;
    const report = reportFor(conclusion, job);
    if (report !== null) {
      const giveUpAtMs = this.#deps.clock.now() + this.#untilMs(giveUpSlackMs);
      const result = await reportEnd(this.#deps, api, { ...report, traceBytes, giveUpAtMs }, signal);
      this.#deps.log.info({ result, failureReason: report.failureReason }, 'end of the job reported');
    }
    ledger.remove(runId);
  }

  #record(): Parameters<Ledger['add']>[0] {
    const { runId, runner, machine, image, gitlabUrl, job } = this.#options;
    return {
      runId,
      runner,
      machine,
      image,
      gitlabUrl,
      jobId: job.id,
      jobToken: job.token,
      job: job.view,
      failureReasons: [...job.failureReasons],
      receivedAt: job.receivedAt,
      timeoutSeconds: job.timeoutSeconds,
      timeline: this.#timeline,
    };
  }

  /** Milliseconds from now to the job's own deadline and `slackMs`; never negative. */
  #untilMs(slackMs: number): number {
    const { receivedAt, timeoutSeconds } = this.#options.job;
    return Math.max(0, receivedAt + timeoutSeconds * 1000 + slackMs - this.#deps.clock.now());
  }

  #deadlineError(): JobError {
    return new JobError(
      'jobs/deadline',
      `The job did not end within its timeout of ${this.#options.job.timeoutSeconds} s`,
      {
        remedy: 'Raise the timeout of the job or project in GitLab, or give the machine more CPUs.',
        blame: 'job',
      },
    );
  }

  #enter(phase: Exclude<RunPhase, 'finished'>, why = ''): void {
    if (this.#timeline.some((mark) => mark.phase === phase)) return;
    this.#timeline.push({ phase, at: phase === 'accepted' ? this.#options.job.receivedAt : this.#deps.clock.now() });
    this.#publish(why);
  }

  #publish(why = ''): void {
    const view = this.#view(why);
    if (view !== undefined) this.#options.onChange(view);
  }

  /** Undefined once finished: that row is what `run` returns. */
  #view(why: string): RunView | undefined {
    const base = this.#base();
    const phase = this.#timeline.at(-1)?.phase ?? 'reserved';
    switch (phase) {
      case 'reserved':
      case 'accepted':
      case 'preparing':
        return { ...base, phase };
      case 'booting':
      case 'ready':
        return { ...base, phase, pid: this.#pid };
      case 'running':
        return { ...base, phase, pid: this.#pid, isCanceling: this.#isCanceling };
      case 'finishing':
        return { ...base, phase, why };
      case 'finished':
        return undefined;
    }
  }

  #finished(conclusion: Conclusion): FinishedRun {
    this.#timeline.push({ phase: 'finished', at: this.#deps.clock.now() });
    return { ...this.#base(), phase: 'finished', outcome: outcomeOf(conclusion, this.#options.job) };
  }

  #base() {
    const { runId, runner, machine, image, job } = this.#options;
    const timeline = [...this.#timeline];
    return { id: runId, runner, machine, image, job: job.view, timeline, traceBytes: this.#traceBytes };
  }
}

function machineEnded(): JobError {
  return new JobError('jobs/machine-ended', 'The machine powered off before its job had ended', {
    remedy: 'Look at the console of the run: the job itself, or a fault in the image, ended the machine.',
    blame: 'job',
  });
}

function cancelingUnanswered(): JobError {
  return new JobError('jobs/canceling-unanswered', 'The runner in the machine did not end the canceled job', {
    remedy: 'Nothing to do: the machine was ended. A newer gitlab-runner in the image handles this by itself.',
    blame: 'job',
  });
}
