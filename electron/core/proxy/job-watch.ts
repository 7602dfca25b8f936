import { isFinalState, type JobAnswer, type Verdict, verdictOf } from './answer-verdict.ts';
import type { ListenerEvent } from './listener-events.ts';
import type { JobUpdateBody } from './runner-requests.ts';

/** Follows a job through GitLab's answers and tells each turn of it once. */
export class JobWatch {
  readonly #report: (event: ListenerEvent) => void;
  readonly #onOver: () => void;
  #isActive = false;
  #isCanceling = false;
  #isClosed = false;

  /** @param options.onOver Called once, after `job-closed` was reported. */
  constructor(options: { report: (event: ListenerEvent) => void; onOver: () => void }) {
    this.#report = options.report;
    this.#onOver = options.onOver;
  }

  /** Whether GitLab has answered a request of the runner about the job. */
  get isActive(): boolean {
    return this.#isActive;
  }

  /** Any answer to an authorised request. One that only says "later" is none. */
  sawAnswer(status: number): void {
    if (this.#isActive || status >= 500 || status === 429) return;
    this.#isActive = true;
    this.#report({ kind: 'job-active' });
  }

  /** An answer to a trace patch, or to a status update, which is `update` then. */
  sawJobAnswer(answer: Omit<JobAnswer, 'state'>, update: JobUpdateBody | undefined): Verdict {
    this.sawAnswer(answer.status);
    const verdict = verdictOf({ ...answer, state: update?.state });
    if (update !== undefined) {
      const { state, failureReason, exitCode } = update;
      this.#report({ kind: 'job-updated', state, failureReason, exitCode, status: answer.status });
    }
    if (verdict === 'canceling' && !this.#isCanceling) {
      this.#isCanceling = true;
      this.#report({ kind: 'job-canceling' });
    }
    if (verdict === 'final-200' || verdict === 'forbidden') this.#close(verdict, answer.jobStatus ?? null, update);
    return verdict;
  }

  #close(how: 'final-200' | 'forbidden', jobStatus: string | null, update: JobUpdateBody | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const isTaken = how === 'final-200' && update !== undefined && isFinalState(update.state);
    this.#report({
      kind: 'job-closed',
      how,
      state: isTaken && isFinalState(update.state) ? update.state : null,
      failureReason: isTaken ? update.failureReason : null,
      exitCode: isTaken ? update.exitCode : null,
      jobStatus,
    });
    this.#onOver();
  }
}
