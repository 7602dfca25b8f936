import type { EpochMs } from '../../electron/contract/ids.ts';
import type { Clock } from '../../electron/core/platform/clock.ts';

interface Timer {
  dueAtMs: number;
  fire(): void;
}

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #elapsedMs = 0;
  readonly #startedAt: number;
  readonly #timers = new Set<Timer>();

  constructor(startedAt = Date.parse('2026-11-23T09:00:00Z')) {
    this.#startedAt = startedAt;
  }

  now(): EpochMs {
    return (this.#startedAt + this.#elapsedMs) as EpochMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  /** How many waits are pending; a test that ends with some has leaked them. */
  get pendingCount(): number {
    return this.#timers.size;
  }

  async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const stop = () => {
        timer[Symbol.dispose]();
        reject(signal?.reason);
      };
      const timer = this.after(durationMs, () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      });
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  after(durationMs: number, onDue: () => void): Disposable {
    const timer: Timer = { dueAtMs: this.#elapsedMs + durationMs, fire: onDue };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => this.#timers.delete(timer) };
  }

  /** Lets `durationMs` pass; timers fire in order of time, and what they set in motion runs before the next one. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#elapsedMs + durationMs;
    await settle();
    for (;;) {
      const next = [...this.#timers].filter((timer) => timer.dueAtMs <= endMs).sort((a, b) => a.dueAtMs - b.dueAtMs)[0];
      if (next === undefined) break;
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueAtMs);
      this.#timers.delete(next);
      next.fire();
      await settle();
    }
    this.#elapsedMs = endMs;
  }
}

/** Lets promises that are already resolved run their course. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
