import type { CallName, Slice } from '../../electron/contract/contract.ts';
import { applyDelta, type BenchEvent, type Delta } from '../../electron/contract/deltas.ts';
import { BenchError } from '../../electron/contract/errors.ts';
import type { RunId } from '../../electron/contract/ids.ts';
import type { BenchState } from '../../electron/contract/state.ts';
import { type CallHandlers, type Server, serve } from '../../electron/contract/transport.ts';
import { aBenchState } from './bench-state.ts';

/** One call that a screen made. */
export interface MadeCall {
  name: CallName;
  input: unknown;
}

interface Bytes {
  buffer: Buffer;
  sizeBytes: number;
}

/**
 * A core that does what a test tells it: it keeps a bench state, traces and consoles, sends deltas to every listener,
 * notes what it was asked, and obeys `lending.set` and `capacity.set` as the real one does.
 */
export class ScriptedBench {
  readonly calls: MadeCall[] = [];
  readonly server: Server;
  state: BenchState;
  #seq = 0;
  readonly #listeners = new Set<(event: BenchEvent) => void>();
  readonly #traces = new Map<RunId, Bytes>();
  readonly #consoles = new Map<RunId, Bytes>();
  readonly #refusals = new Map<CallName, BenchError>();

  constructor(state: BenchState = aBenchState()) {
    this.state = state;
    this.server = serve({
      calls: this.#handlers(),
      streams: {
        'bench.events': (onEvent) => {
          this.#listeners.add(onEvent);
          onEvent({ type: 'snapshot', seq: this.#seq, state: this.state });
          return { [Symbol.dispose]: () => this.#listeners.delete(onEvent) };
        },
      },
    });
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** Changes the state and tells all listeners. */
  push(delta: Delta): void {
    this.#seq += 1;
    this.state = applyDelta(this.state, delta);
    for (const listener of this.#listeners) listener({ type: 'delta', seq: this.#seq, delta });
  }

  /** Changes the state without telling: the next delta leaves a gap. */
  changeUnseen(delta: Delta): void {
    this.#seq += 1;
    this.state = applyDelta(this.state, delta);
  }

  /** Writes to a trace, and says so if its run is live. */
  appendTrace(runId: RunId, text: string | Uint8Array): void {
    const traceBytes = append(this.#traces, runId, text);
    if (runId in this.state.runsById) this.push({ kind: 'trace-grown', id: runId, traceBytes });
  }

  appendConsole(runId: RunId, text: string): void {
    append(this.#consoles, runId, text);
  }

  /** Lets the next call of a name fail. */
  refuseNext(name: CallName, error: BenchError): void {
    this.#refusals.set(name, error);
  }

  callsOf(name: CallName): unknown[] {
    return this.calls.filter((call) => call.name === name).map((call) => call.input);
  }

  #handlers(): CallHandlers {
    const note = (name: CallName, input: unknown) => {
      this.calls.push({ name, input });
      const refusal = this.#refusals.get(name);
      this.#refusals.delete(name);
      if (refusal !== undefined) throw refusal;
    };
    return {
      'lending.set': async (input) => {
        note('lending.set', input);
        const { isEnabled } = input;
        const reasons = isEnabled ? [] : ['You switched lending off.'];
        this.push({ kind: 'lending', lending: { isEnabled, isLending: isEnabled, reasons } });
        return null;
      },
      'capacity.set': async (lent) => {
        note('capacity.set', lent);
        this.push({ kind: 'capacity', capacity: { ...this.state.capacity, lent } });
        return null;
      },
      'run.stop': async (input) => {
        note('run.stop', input);
        const run = this.state.runsById[input.runId];
        if (run === undefined) {
          throw new BenchError('jobs/unknown-run', 'There is no such run', { remedy: 'It has ended already.' });
        }
        const { id, runner, machine, image, job, timeline, traceBytes } = run;
        const base = { id, runner, machine, image, job, timeline, traceBytes };
        this.push({ kind: 'run', run: { ...base, phase: 'finishing', why: 'Stopped by the owner.' } });
        return null;
      },
      'trace.read': async (input) => {
        note('trace.read', input);
        return slice(this.#traces.get(input.runId), input.fromByte, input.maxBytes);
      },
      'trace.watch': async (input) => {
        note('trace.watch', input);
        return null;
      },
      'console.read': async (input) => {
        note('console.read', input);
        return slice(this.#consoles.get(input.runId), input.fromByte, input.maxBytes);
      },
    };
  }
}

function append(to: Map<RunId, Bytes>, runId: RunId, text: string | Uint8Array): number {
  const more = typeof text === 'string' ? Buffer.from(text) : text;
  const known = to.get(runId) ?? { buffer: Buffer.alloc(64 * 1024), sizeBytes: 0 };
  const sizeBytes = known.sizeBytes + more.length;
  if (known.buffer.length < sizeBytes) {
    const larger = Buffer.alloc(sizeBytes * 2);
    larger.set(known.buffer);
    known.buffer = larger;
  }
  known.buffer.set(more, known.sizeBytes);
  known.sizeBytes = sizeBytes;
  to.set(runId, known);
  return sizeBytes;
}

function slice(bytes: Bytes | undefined, fromByte: number, maxBytes: number): Slice {
  const sizeBytes = bytes?.sizeBytes ?? 0;
  const part = bytes?.buffer.subarray(fromByte, Math.min(sizeBytes, fromByte + maxBytes));
  return { fromByte, sizeBytes, base64: part?.toString('base64') ?? '' };
}
