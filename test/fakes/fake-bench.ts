import { applyDelta, type BenchEvent, type Delta } from '../../electron/contract/deltas.ts';
import { BenchError } from '../../electron/contract/errors.ts';
import type { EpochMs, RunId } from '../../electron/contract/ids.ts';
import type { BenchState, RunView } from '../../electron/contract/state.ts';
import type { BenchHandlers } from '../../electron/contract/transport.ts';
import { aBenchState } from './bench-state.ts';

/** What happened to a fake bench, in order; for tests that look on from outside. */
export type BenchDeed = 'opened' | 'drain-began' | 'drain-ended' | 'drain-aborted' | 'closed';

/**
 * A core without machines: it holds a state, changes it when told to, and behaves towards its callers as the core
 * does. Serves shells and screens that are tested without GitLab and QEMU.
 */
export class FakeBench implements AsyncDisposable {
  state: BenchState;
  readonly deeds: BenchDeed[] = ['opened'];
  readonly tracesById = new Map<string, Uint8Array>();
  #seq = 0;
  readonly #streams = new Set<(event: BenchEvent) => void>();
  readonly #listeners = new Set<(state: BenchState) => void>();
  readonly handlers: BenchHandlers;

  constructor(state: BenchState = aBenchState()) {
    this.state = state;
    this.handlers = {
      calls: {
        'lending.set': async ({ isEnabled }) => {
          await this.setLending(isEnabled);
          return null;
        },
        'capacity.set': async (lent) => {
          this.apply({ kind: 'capacity', capacity: { ...this.state.capacity, lent } });
          return null;
        },
        'run.stop': async ({ runId }) => {
          this.finish(this.#run(runId), 'canceled', 'The owner of the machine stopped it.');
          return null;
        },
        'trace.read': async ({ runId, fromByte, maxBytes }) => {
          this.#run(runId);
          const bytes = this.tracesById.get(runId) ?? new Uint8Array();
          const slice = bytes.subarray(fromByte, fromByte + maxBytes);
          return { fromByte, sizeBytes: bytes.length, base64: Buffer.from(slice).toString('base64') };
        },
        'trace.watch': async ({ runId }) => {
          this.#run(runId);
          return null;
        },
        'console.read': async ({ runId, fromByte }) => {
          this.#run(runId);
          return { fromByte, sizeBytes: 0, base64: '' };
        },
      },
      streams: {
        'bench.events': (onEvent) => {
          onEvent({ type: 'snapshot', seq: this.#seq, state: this.state });
          this.#streams.add(onEvent);
          return { [Symbol.dispose]: () => this.#streams.delete(onEvent) };
        },
      },
    };
  }

  /** Streams that somebody listens to now. */
  get streamCount(): number {
    return this.#streams.size;
  }

  onChange(listener: (state: BenchState) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  async setLending(isEnabled: boolean): Promise<void> {
    const reasons = isEnabled ? [] : ['Switched off by the owner.'];
    this.apply({ kind: 'lending', lending: { isEnabled, isLending: isEnabled, reasons } });
  }

  async drain(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.deeds.push('drain-began');
    const { lending } = this.state;
    this.apply({ kind: 'lending', lending: { ...lending, isLending: false, reasons: ['Draining.'] } });
    try {
      await this.#idle(signal);
      this.deeds.push('drain-ended');
    } catch (error) {
      this.deeds.push('drain-aborted');
      this.apply({ kind: 'lending', lending });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.deeds.includes('closed')) this.deeds.push('closed');
    this.#streams.clear();
    this.#listeners.clear();
  }

  /** Begins again with another state, as a new core would; streams that are open hear nothing of it. */
  reset(state: BenchState): void {
    this.state = state;
    this.#seq = 0;
    this.tracesById.clear();
  }

  apply(delta: Delta): void {
    this.#seq += 1;
    this.state = applyDelta(this.state, delta);
    for (const onEvent of [...this.#streams]) onEvent({ type: 'delta', seq: this.#seq, delta });
    for (const listener of [...this.#listeners]) listener(this.state);
  }

  begin(run: RunView): void {
    this.apply({ kind: 'run', run });
  }

  finish(run: RunView, state: 'success' | 'failed' | 'canceled', why: string): void {
    const { id, runner, machine, image, job, timeline, traceBytes } = run;
    const last = timeline.at(-1)?.at ?? this.state.startedAt;
    this.apply({
      kind: 'run',
      run: {
        ...{ id, runner, machine, image, job, traceBytes },
        timeline: [...timeline, { phase: 'finished', at: (last + 1000) as EpochMs }],
        phase: 'finished',
        outcome: { state, failureReason: null, exitCode: state === 'success' ? 0 : null, why, error: null },
      },
    });
  }

  #run(id: RunId): RunView {
    const run = this.state.runsById[id] ?? this.state.history.find((known) => known.id === id);
    if (run !== undefined) return run;
    throw new BenchError('jobs/unknown-run', `There is no run ${id}`, {
      remedy: 'It may have ended: see the history.',
    });
  }

  /** Resolves when no run is left. */
  async #idle(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => {
      if (Object.keys(this.state.runsById).length === 0) resolve();
    };
    const stop = () => reject(signal?.reason);
    using _watch = this.onChange(check);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      check();
      await promise;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }
}
