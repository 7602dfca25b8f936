import { setTimeout as delay } from 'node:timers/promises';
import type { EpochMs } from '../../contract/ids.ts';

/** Time, passed in so that tests never sleep. */
export interface Clock {
  /** Wall clock; may jump. For what is shown or written down. */
  now(): EpochMs;
  /** Milliseconds from an arbitrary origin; never jumps. For durations. */
  monotonicMs(): number;
  /** Resolves after `durationMs`; rejects with `signal.reason` when aborted. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
  /** Calls `onDue` once after `durationMs`, unless disposed before. */
  after(durationMs: number, onDue: () => void): Disposable;
}

export const systemClock: Clock = {
  now: () => Date.now() as EpochMs,
  monotonicMs: () => performance.now(),
  sleep: async (durationMs, signal) => {
    signal?.throwIfAborted();
    try {
      await delay(durationMs, undefined, signal === undefined ? undefined : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
  after: (durationMs, onDue) => {
    const timer = setTimeout(onDue, durationMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
