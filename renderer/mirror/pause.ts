/** A wait that the user can cut short. */
export class Pause {
  #skip: (() => void) | null = null;

  /** Resolves after the time, when `signal` aborts, or when somebody calls `skip`. */
  async wait(durationMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => resolve();
    const timer = setTimeout(end, durationMs);
    signal.addEventListener('abort', end);
    this.#skip = end;
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      this.#skip = null;
    }
  }

  /** Ends the wait that is going on, if any. */
  skip(): void {
    this.#skip?.();
  }
}
