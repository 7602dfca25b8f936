import type { BenchRunner, Connections } from './bench-connections.ts';
import type { HostTools } from './bench-host.ts';
import type { BenchRuns } from './bench-runs.ts';
import { pollForJobs } from './gitlab/poll-loop.ts';
import type { PlatformDeps } from './platform/deps.ts';
import type { Reservations } from './scheduler/reservations.ts';
import type { BenchStore } from './store/bench-store.ts';

export interface BenchPollsOptions {
  connections: Connections;
  tools: HostTools;
  runs: BenchRuns;
  reservations: Reservations;
  store: BenchStore;
  /** A poll loop ended in a way that nobody expected. */
  onBroken: (runner: BenchRunner, error: unknown) => void;
}

/** The poll loops of all runners: started and stopped together, as often as the owner changes their mind. */
export class BenchPolls {
  readonly #deps: PlatformDeps;
  readonly #options: BenchPollsOptions;
  #session: { controller: AbortController; ended: Promise<unknown> } | undefined;

  constructor(deps: PlatformDeps, options: BenchPollsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  start(): void {
    if (this.#session !== undefined) return;
    const controller = new AbortController();
    const loops = this.#options.connections.runners.map((runner) =>
      this.#poll(runner, controller.signal).catch((error: unknown) => this.#options.onBroken(runner, error)),
    );
    this.#session = { controller, ended: Promise.all(loops) };
  }

  /** Resolves when no request is under way any more; a young one is waited for, and its job is taken. */
  async stop(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    session?.controller.abort();
    await session?.ended;
  }

  async #poll(runner: BenchRunner, signal: AbortSignal): Promise<void> {
    const { connections, tools, runs, reservations, store } = this.#options;
    using _claimant = reservations.addClaimant();
    const show = connections.statusShower(runner, store);
    const kit = await tools.kitFor(runner.machine, show, signal);
    if (kit !== undefined) {
      await pollForJobs(
        this.#deps,
        {
          api: runner.api,
          info: () => ({ ...kit.image.runner, executor: runner.machine.executor }),
          claim: (onWait, until) => runs.claim(runner.machine, reservations, onWait, until),
          onJob: (job, claim) => runs.start(runner, kit, job, claim),
          onStatus: show,
          onAnswer: () => connections.markAnswer(runner, store),
        },
        signal,
      );
    }
    show({ kind: 'idle', why: 'No job is asked for: the bench is shutting down.' });
  }
}
