import { watchMs } from '../contract/contract.ts';
import { BenchError, type WireError } from '../contract/errors.ts';
import type { EpochMs, RunId } from '../contract/ids.ts';
import type { Resources } from '../contract/state.ts';
import type { BenchRunner } from './bench-connections.ts';
import type { MachineKit } from './bench-host.ts';
import type { MachineConfig } from './config/bench-config.ts';
import { isProjectAllowed } from './config/project-globs.ts';
import type { AcceptedJob } from './gitlab/accepted-job.ts';
import { JobApi } from './gitlab/job-api.ts';
import type { Claim } from './gitlab/poll-loop.ts';
import type { ImageCatalogue } from './images/image-catalogue.ts';
import { JobError } from './jobs/job-error.ts';
import { JobRun } from './jobs/job-run.ts';
import type { Ledger } from './jobs/ledger.ts';
import { machineOpener } from './jobs/machine-opener.ts';
import { refuseJob } from './jobs/refuse-job.ts';
import type { PlatformDeps } from './platform/deps.ts';
import type { Directories } from './platform/directories.ts';
import { aborted } from './platform/signals.ts';
import type { Reservations } from './scheduler/reservations.ts';
import type { BenchStore } from './store/bench-store.ts';
import type { FinishedRun, History } from './store/history.ts';
import type { TraceStore } from './trace/trace-store.ts';
import { RunDirectory } from './vm/run-directory.ts';

/** How long ends may take when the app quits; what GitLab was not told by then, the next start tells it. */
const stopLimitMs = 30_000;

export interface BenchRunsOptions {
  directories: Directories;
  images: Pick<ImageCatalogue, 'createOverlay'>;
  traces: TraceStore;
  ledger: Ledger;
  history: History;
  store: BenchStore;
  userAgent: string;
  /** A job could not be written down: until that is mended every other would be lost as well. */
  onLedgerUnwritable: (error: WireError) => void;
}

/** The jobs that live here now, from the 201 to their row of history. */
export class BenchRuns {
  readonly #deps: PlatformDeps;
  readonly #options: BenchRunsOptions;
  readonly #running = new Map<RunId, { run: JobRun; ended: Promise<void> }>();
  readonly #watchedAtMs = new Map<RunId, number>();
  readonly #reservedAt = new WeakMap<Claim, EpochMs>();
  readonly #force = new AbortController();

  constructor(deps: PlatformDeps, options: BenchRunsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Room for one run of a machine, held from before the poll that may bring its job. */
  async claim(
    machine: MachineConfig,
    reservations: Reservations,
    onWait: (why: string) => void,
    signal: AbortSignal,
  ): Promise<Claim> {
    const { cpus, memoryBytes, diskBytes } = machine;
    const request: Resources = { cpus, memoryBytes, diskBytes, slotCount: 1 };
    const claim = await reservations.reserve(request, onWait, signal);
    this.#reservedAt.set(claim, this.#deps.clock.now());
    return claim;
  }

  /** Takes over an accepted job and the room it runs in. */
  start(runner: BenchRunner, kit: MachineKit, job: AcceptedJob, claim: Claim): void {
    const { store, ledger, userAgent, images, directories, traces } = this.#options;
    const runId = this.#deps.random.runId();
    const programs = kit.programs();
    const open = machineOpener(this.#deps, {
      directories,
      images,
      traces,
      ...programs,
      image: kit.image,
      upstream: runner.upstream,
      gitlabUrl: runner.connection.url,
      caPem: runner.caPem,
      shortToken: runner.shortToken,
      runnerName: runner.config.name,
      machine: runner.machine,
      isWatched: (id) => this.#isWatched(id),
    });
    const run = new JobRun(this.#deps, {
      runId,
      runner: runner.config.id,
      gitlabUrl: runner.connection.url,
      machine: runner.machine.name,
      image: kit.image.name,
      job,
      reservedAt: this.#reservedAt.get(claim) ?? job.receivedAt,
      api: new JobApi(this.#deps, { upstream: runner.upstream, id: job.id, token: job.token, userAgent }),
      ledger,
      refusal: refuseJob(job, {
        isProjectAllowed: (path) => isProjectAllowed(runner.config.projects, path),
        runner: { ...kit.image.runner, executor: runner.machine.executor },
      }),
      open: open(runId, job),
      onChange: (view) => store.apply({ kind: 'run', run: view }),
      onTraceGrown: (id, totalBytes) => store.growTrace(id, totalBytes),
    });
    const ended = this.#live(run, claim, (finished) => kit.noteBoot(programs.accelerator, missedItsBoot(finished)));
    this.#running.set(runId, { run, ended });
    void ended.then(() => {
      this.#running.delete(runId);
      this.#watchedAtMs.delete(runId);
    });
  }

  /** @throws BenchError `runs/unknown` for a run that does not live here now. */
  stop(runId: RunId): void {
    const known = this.#running.get(runId);
    if (known === undefined) {
      throw new BenchError('runs/unknown', `There is no running job with the run ${runId}`, {
        remedy: 'It has probably just ended: look into the history.',
      });
    }
    known.run.stop(
      new JobError('jobs/stopped-by-owner', 'The owner of the machine stopped this job', {
        remedy: 'Retry the job in GitLab; another runner or this one will take it.',
      }),
    );
  }

  /** Notes that somebody looks at this trace, so that the machine sends it often. */
  watch(runId: RunId): void {
    if (this.#running.has(runId)) this.#watchedAtMs.set(runId, this.#deps.clock.monotonicMs());
  }

  addToHistory(run: FinishedRun): void {
    const { history, store, traces } = this.#options;
    const dropped = history.add(run);
    store.apply({ kind: 'run', run });
    for (const id of dropped) {
      traces.remove(id).catch((error: unknown) => this.#deps.log.warn({ error }, 'an old trace was not removed'));
    }
  }

  /** Resolves when no job runs any more. */
  async allEnded(signal?: AbortSignal): Promise<void> {
    const all = Promise.all([...this.#running.values()].map(({ ended }) => ended));
    await (signal === undefined ? all : Promise.race([all, aborted(signal)]));
    signal?.throwIfAborted();
  }

  /** Ends every job now and tells GitLab; gives up telling after a while. */
  async stopAll(): Promise<void> {
    for (const { run } of this.#running.values()) {
      run.stop(
        new JobError('jobs/bench-stopped', 'Forrest Bench was stopped while this job was running', {
          remedy: 'Retry the job in GitLab.',
        }),
      );
    }
    using _limit = this.#deps.clock.after(stopLimitMs, () => this.#force.abort(new Error('the app ends')));
    await this.allEnded();
  }

  /** Removes what finished runs left, but for the newest `keptCount`; live ones are not touched. */
  async removeOldDirectories(keptCount: number): Promise<void> {
    const { directories, history } = this.#options;
    const kept = new Set(history.latest(keptCount).map((run) => run.id));
    for (const runId of await RunDirectory.list(this.#deps, directories)) {
      if (kept.has(runId) || this.#running.has(runId)) continue;
      await RunDirectory.open(this.#deps, directories, runId).remove({ keepLogs: false });
    }
  }

  async #live(run: JobRun, claim: Claim, onFinished: (run: FinishedRun) => Promise<void>): Promise<void> {
    try {
      const finished = await run.run(this.#force.signal);
      this.addToHistory(finished);
      const { error } = finished.outcome;
      if (error?.code === 'jobs/ledger-unwritable') this.#options.onLedgerUnwritable(error);
      await onFinished(finished);
    } catch (error) {
      this.#deps.log.error({ error }, 'the life of a job broke off');
    } finally {
      claim.release();
    }
  }

  #isWatched(runId: RunId): boolean {
    const watchedAtMs = this.#watchedAtMs.get(runId);
    return watchedAtMs !== undefined && this.#deps.clock.monotonicMs() - watchedAtMs < watchMs;
  }
}

function missedItsBoot(run: FinishedRun): boolean {
  return run.outcome.error?.code === 'vm/boot-timeout';
}
