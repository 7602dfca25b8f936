import type { Clock } from '../platform/clock.ts';

/** What GitLab itself asks for while somebody looks at the trace there (protocol document 3.3). */
const watchedSeconds = 3;
const suspendedMs = 60_000;

/**
 * Makes the runner send its trace sooner while somebody watches it here: GitLab slows down a trace that nobody watches
 * there to one patch a minute (protocol document 3.5.3).
 */
export class UpdateInterval {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #isWatched: () => boolean;
  #suspendedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'monotonicMs'>, isWatched: () => boolean) {
    this.#clock = clock;
    this.#isWatched = isWatched;
  }

  /** GitLab answered 429: no haste for a minute. */
  sawRateLimit(): void {
    this.#suspendedUntilMs = this.#clock.monotonicMs() + suspendedMs;
  }

  /** @param sent GitLab's header. Never raised, and left alone where it is no number. */
  forMachine(sent: string): string {
    const isHasteFine = this.#isWatched() && this.#clock.monotonicMs() >= this.#suspendedUntilMs;
    return isHasteFine && /^\d{1,9}$/.test(sent) && Number(sent) > watchedSeconds ? String(watchedSeconds) : sent;
  }
}
