import { createStore } from 'zustand/vanilla';
import { applyDelta, type BenchEvent, type Delta } from '../../contract/deltas.ts';
import type { RunId } from '../../contract/ids.ts';
import type { BenchState } from '../../contract/state.ts';
import type { Clock } from '../platform/clock.ts';

/** A chatty job grows its trace many times a second; screens hear of it at most this often. */
const traceBatchMs = 100;

/**
 * The core's state: what every screen shows. Rooms report facts, bench.ts turns them into deltas, and this applies and
 * numbers them. Holds results only; nothing here does I/O.
 */
export class BenchStore implements Disposable {
  readonly #store;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #listeners = new Set<(event: BenchEvent) => void>();
  readonly #grownTraces = new Map<RunId, number>();
  #traceTimer: Disposable | undefined;
  #seq = 0;

  constructor(deps: { clock: Pick<Clock, 'after'> }, initial: BenchState) {
    this.#clock = deps.clock;
    this.#store = createStore<BenchState>(() => initial);
  }

  get state(): BenchState {
    return this.#store.getState();
  }

  /** Applies a change and tells every listener; a change that changes nothing is not told. */
  apply(delta: Delta): void {
    // A finished run carries its whole size: what is still batched for it would come too late.
    if (delta.kind === 'run') this.#grownTraces.delete(delta.run.id);
    const before = this.state;
    const after = applyDelta(before, delta);
    if (after === before) return;
    this.#seq += 1;
    this.#store.setState(after, true);
    for (const listener of this.#listeners) listener({ type: 'delta', seq: this.#seq, delta });
  }

  /** Reports that a trace has grown; several reports within a moment become one delta. */
  growTrace(id: RunId, traceBytes: number): void {
    this.#grownTraces.set(id, traceBytes);
    this.#traceTimer ??= this.#clock.after(traceBatchMs, () => this.#flushTraces());
  }

  /** Calls `onEvent` with a snapshot at once, then with every delta, in order and without a gap. */
  subscribe(onEvent: (event: BenchEvent) => void): Disposable {
    this.#listeners.add(onEvent);
    onEvent({ type: 'snapshot', seq: this.#seq, state: this.state });
    return { [Symbol.dispose]: () => this.#listeners.delete(onEvent) };
  }

  onChange(listener: (state: BenchState) => void): Disposable {
    const stop = this.#store.subscribe(listener);
    return { [Symbol.dispose]: stop };
  }

  [Symbol.dispose](): void {
    this.#traceTimer?.[Symbol.dispose]();
    this.#listeners.clear();
  }

  #flushTraces(): void {
    this.#traceTimer = undefined;
    const grown = [...this.#grownTraces];
    this.#grownTraces.clear();
    for (const [id, traceBytes] of grown) this.apply({ kind: 'trace-grown', id, traceBytes });
  }
}
