import type { BenchState } from '../contract/state.ts';
import type { CallHandlers } from '../contract/transport.ts';
import type { PlatformDeps } from '../core/platform/deps.ts';
import { counted, type LeavingStatus } from './tray-view.ts';

/** How long "stop now" waits for runs to end by themselves, before the core is closed over them. */
export const stopDeadlineMs = 60_000;

export type LeavingChoice = 'wait' | 'stop' | 'stay';

/** What the owner is asked when jobs run; `choices` in the order of the buttons, the first one is the default. */
export interface LeavingQuestion {
  message: string;
  detail: string;
  choices: readonly { choice: LeavingChoice; label: string }[];
}

export interface LeavingOptions {
  deps: Pick<PlatformDeps, 'clock' | 'log'>;
  bench: {
    readonly state: BenchState;
    drain(signal?: AbortSignal): Promise<void>;
    readonly handlers: { calls: Pick<CallHandlers, 'run.stop'> };
  };
  ask(question: LeavingQuestion): Promise<LeavingChoice>;
  /** Closes all and ends the process. */
  leave(): Promise<void>;
  /** The status has changed. */
  onChange(): void;
}

/** Quitting: at once when no job runs, else as the owner chooses. Nothing that runs is ended without being asked. */
export class Leaving {
  readonly #options: LeavingOptions;
  #status: LeavingStatus = 'staying';
  #draining: AbortController | undefined;

  constructor(options: LeavingOptions) {
    this.#options = options;
  }

  get status(): LeavingStatus {
    return this.#status;
  }

  /** The owner wants to quit. Asking twice opens no second question. */
  async request(): Promise<void> {
    const { status } = this;
    if (status === 'asking' || status === 'stopping' || status === 'gone') return;
    const wasWaiting = status === 'waiting';
    if (this.#runIds().length === 0) return this.#leave();
    this.#enter('asking');
    const choice = await this.#options.ask(question(this.#runIds().length, wasWaiting));
    // While the question stood, a drain that went on may have come to its end.
    if (this.status !== 'asking') return;
    switch (choice) {
      case 'wait':
        return this.#wait();
      case 'stop':
        return this.#stop();
      case 'stay':
        this.#draining?.abort();
        this.#draining = undefined;
        this.#enter('staying');
    }
  }

  /** Leaves without a question, when there is nobody to answer one. */
  async abandon(): Promise<void> {
    if (this.status !== 'gone') await this.#leave();
  }

  async #wait(): Promise<void> {
    this.#enter('waiting');
    if (this.#draining !== undefined) return;
    const draining = new AbortController();
    this.#draining = draining;
    try {
      await this.#options.bench.drain(draining.signal);
    } catch (error) {
      if (draining.signal.aborted) return;
      this.#options.deps.log.error({ error }, 'drain failed');
      this.#draining = undefined;
      this.#enter('staying');
      return;
    }
    if (this.status === 'waiting' || this.status === 'asking') await this.#leave();
  }

  async #stop(): Promise<void> {
    const { bench, deps } = this.#options;
    this.#enter('stopping');
    const deadline = new AbortController();
    using _timer = deps.clock.after(stopDeadlineMs, () => deadline.abort());
    // Draining first: a job that came now would be stopped a moment later.
    const drained = bench.drain(deadline.signal).catch((error: unknown) => {
      deps.log.warn({ error, runIds: this.#runIds() }, 'runs did not end in time');
    });
    const stops = this.#runIds().map((runId) => bench.handlers.calls['run.stop']({ runId }));
    for (const result of await Promise.allSettled(stops)) {
      if (result.status === 'rejected') deps.log.warn({ error: result.reason }, 'run could not be stopped');
    }
    await drained;
    await this.#leave();
  }

  async #leave(): Promise<void> {
    if (this.status === 'gone') return;
    this.#enter('gone');
    await this.#options.leave();
  }

  #enter(status: LeavingStatus): void {
    this.#status = status;
    this.#options.onChange();
  }

  #runIds() {
    return Object.values(this.#options.bench.state.runsById).map((run) => run.id);
  }
}

function question(runCount: number, wasWaiting: boolean): LeavingQuestion {
  const one = runCount === 1;
  return {
    message: `${counted(runCount, 'job')} ${one ? 'is' : 'are'} running on this machine`,
    detail: [
      `Wait: no new job is taken, and Forrest Bench quits when ${one ? 'this one has' : 'these have'} ended.`,
      `Stop now: ${one ? 'it ends' : 'they end'} here and GitLab is told that this machine stopped ${one ? 'it' : 'them'}.`,
      wasWaiting ? 'Do not quit: jobs are taken again.' : 'Cancel: all goes on as it is.',
    ].join('\n'),
    choices: [
      { choice: 'wait', label: wasWaiting ? 'Keep waiting' : 'Wait' },
      { choice: 'stop', label: 'Stop now' },
      { choice: 'stay', label: wasWaiting ? 'Do not quit' : 'Cancel' },
    ],
  };
}
