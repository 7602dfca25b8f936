import type { Clock } from '../platform/clock.ts';

/** Ends a transfer on which nothing moves, and one that takes too long altogether. */
export class TransferWatch implements Disposable {
  readonly #clock: Pick<Clock, 'after' | 'monotonicMs'>;
  readonly #onOver: () => void;
  readonly #deadlineMs: number;
  #idleMs: number;
  #lastMs: number;
  #timer: Disposable;
  #isOver = false;

  constructor(
    clock: Pick<Clock, 'after' | 'monotonicMs'>,
    options: { idleMs: number; transferMs: number; onOver: () => void },
  ) {
    this.#clock = clock;
    this.#onOver = options.onOver;
    this.#idleMs = options.idleMs;
    this.#lastMs = clock.monotonicMs();
    this.#deadlineMs = this.#lastMs + options.transferMs;
    this.#timer = this.#arm();
  }

  /** Something moved. */
  touch(): void {
    this.#lastMs = this.#clock.monotonicMs();
  }

  /** From now on nothing may move for this long. */
  setIdle(idleMs: number): void {
    if (this.#isOver) return;
    this.#idleMs = idleMs;
    this.touch();
    this.#timer[Symbol.dispose]();
    this.#timer = this.#arm();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#timer[Symbol.dispose]();
  }

  /** One timer that looks again when it is due, instead of a new one for each chunk. */
  #arm(): Disposable {
    const dueMs = Math.min(this.#lastMs + this.#idleMs, this.#deadlineMs);
    return this.#clock.after(Math.max(1, dueMs - this.#clock.monotonicMs()), () => {
      const nowMs = this.#clock.monotonicMs();
      if (nowMs >= Math.min(this.#lastMs + this.#idleMs, this.#deadlineMs)) this.#onOver();
      else this.#timer = this.#arm();
    });
  }
}
