import { expect, it, vi } from 'vitest';
import type { BenchEvent, Delta } from '../../../electron/contract/deltas.ts';
import type { BenchError } from '../../../electron/contract/errors.ts';
import type { RunId } from '../../../electron/contract/ids.ts';
import type { BenchState, RunView } from '../../../electron/contract/state.ts';
import { createClient, type Transport } from '../../../electron/contract/transport.ts';
import { aBenchState, aRun } from '../../fakes/bench-state.ts';
import type { FakeBench } from '../../fakes/fake-bench.ts';

/** A fake bench as a test reaches it, in this process or in another. */
export interface BenchControl {
  state(): Promise<BenchState>;
  /** Streams that are open at the bench. */
  streamCount(): Promise<number>;
  begin(run: RunView): Promise<void>;
  apply(delta: Delta): Promise<void>;
  setTrace(runId: RunId, text: string): Promise<void>;
}

export interface Carried extends AsyncDisposable {
  bench: BenchControl;
  transport: Transport;
  /** Ends the carrier, as a crash of either side would. */
  cut(): Promise<void>;
}

/** A bench in this process. */
export function controlOf(bench: FakeBench): BenchControl {
  return {
    state: async () => bench.state,
    streamCount: async () => bench.streamCount,
    begin: async (run) => bench.begin(run),
    apply: async (delta) => bench.apply(delta),
    setTrace: async (runId, text) => {
      bench.tracesById.set(runId, Buffer.from(text));
    },
  };
}

/** What every transport of the contract promises. Called inside a `describe` of the transport. */
export function itCarriesTheContract(open: () => Promise<Carried>): void {
  it('carries a call there and its answer back', async () => {
    await using carried = await open();
    expect(await createClient(carried.transport).call('lending.set', { isEnabled: false })).toBeNull();
    expect((await carried.bench.state()).lending.isEnabled).toBe(false);
  });

  it('answers each of many calls with its own answer', async () => {
    await using carried = await open();
    const { id: runId } = aRun();
    await carried.bench.begin(aRun());
    await carried.bench.setTrace(runId, 'abcdefghijklmnopqrst');
    const client = createClient(carried.transport);
    const slices = await Promise.all(
      Array.from({ length: 20 }, (_, fromByte) => client.call('trace.read', { runId, fromByte, maxBytes: 1 })),
    );
    expect(slices.map(({ base64 }) => atob(base64)).join('')).toBe('abcdefghijklmnopqrst');
  });

  it('keeps code and remedy of an error', async () => {
    await using carried = await open();
    const call = createClient(carried.transport).call('run.stop', { runId: 'ffffffff' as RunId });
    await expect(call).rejects.toMatchObject({
      code: 'jobs/unknown-run',
      message: 'There is no run ffffffff',
      remedy: 'It may have ended: see the history.',
    });
  });

  it('refuses a call that the contract does not have', async () => {
    await using carried = await open();
    for (const name of ['bench.destroy', 'toString', 'bench.events', '']) {
      expect(await carried.transport.call(name, {})).toMatchObject({
        ok: false,
        error: { code: 'contract/unknown-name' },
      });
    }
  });

  it('refuses input that the contract does not allow', async () => {
    await using carried = await open();
    for (const input of [null, {}, { isEnabled: 'yes' }, []]) {
      expect(await carried.transport.call('lending.set', input)).toMatchObject({
        ok: false,
        error: { code: 'contract/bad-input' },
      });
    }
    expect(await carried.bench.state()).toEqual(aBenchState());
  });

  it('begins a stream with a snapshot and goes on with numbered deltas', async () => {
    await using carried = await open();
    await carried.bench.begin(aRun());
    const { events } = listening(carried);
    await eventually(() => expect(events).toHaveLength(1));
    await carried.bench.apply({ kind: 'trace-grown', id: aRun().id, traceBytes: 5 });
    await eventually(() => expect(events).toHaveLength(2));
    expect(events).toEqual([
      { type: 'snapshot', seq: 1, state: aBenchState({ runsById: { [aRun().id]: aRun() } }) },
      { type: 'delta', seq: 2, delta: { kind: 'trace-grown', id: aRun().id, traceBytes: 5 } },
    ]);
  });

  it('keeps the order of many deltas', async () => {
    await using carried = await open();
    await carried.bench.begin(aRun());
    const { events } = listening(carried);
    await eventually(() => expect(events).toHaveLength(1));
    for (let traceBytes = 1; traceBytes <= 50; traceBytes += 1) {
      await carried.bench.apply({ kind: 'trace-grown', id: aRun().id, traceBytes });
    }
    await eventually(() => expect(events).toHaveLength(51));
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 51 }, (_, index) => index + 1));
  });

  it('gives each stream a snapshot and deltas of its own', async () => {
    await using carried = await open();
    const first = listening(carried);
    await eventually(() => expect(first.events).toHaveLength(1));
    await carried.bench.begin(aRun());
    const second = listening(carried);
    await eventually(() => expect([first.events.length, second.events.length]).toEqual([2, 1]));
    first.stream[Symbol.dispose]();
    await eventually(async () => expect(await carried.bench.streamCount()).toBe(1));
    await carried.bench.apply({ kind: 'run-dropped', id: aRun().id });
    await eventually(() => expect(second.events).toHaveLength(2));
    expect(first.events).toHaveLength(2);
  });

  it('ends a stream that nobody wants any more', async () => {
    await using carried = await open();
    const { events, stream } = listening(carried);
    await eventually(() => expect(events).toHaveLength(1));
    stream[Symbol.dispose]();
    stream[Symbol.dispose]();
    await eventually(async () => expect(await carried.bench.streamCount()).toBe(0));
    await carried.bench.begin(aRun());
    // An answer that comes after shows that nothing was under way.
    await createClient(carried.transport).call('lending.set', { isEnabled: true });
    expect(events).toHaveLength(1);
  });

  it('ends a stream that the contract does not have, with the reason', async () => {
    await using carried = await open();
    const ended = new Promise<BenchError>((resolve) => carried.transport.listen('nothing', () => {}, resolve));
    expect(await ended).toMatchObject({ code: 'contract/unknown-name' });
    expect(await carried.bench.streamCount()).toBe(0);
  });

  it('tells streams and calls when the carrier is gone, and leaves no stream open', async () => {
    await using carried = await open();
    const onEnd = vi.fn<(error: BenchError) => void>();
    const { events } = listening(carried, onEnd);
    await eventually(() => expect(events).toHaveLength(1));
    await carried.cut();
    await eventually(() => expect(onEnd).toHaveBeenCalledOnce());
    expect(onEnd.mock.calls[0]?.[0]).toMatchObject({ code: 'transport/closed' });
    await eventually(async () => expect(await carried.bench.streamCount()).toBe(0));
    await expect(carried.transport.call('lending.set', { isEnabled: false })).rejects.toMatchObject({
      code: 'transport/closed',
    });
  });
}

/** Waits until a check passes: a carrier may lead into another process, on a busy machine. */
function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 10_000 });
}

function listening({ transport }: Carried, onEnd?: (error: BenchError) => void) {
  const events: BenchEvent[] = [];
  const stream = createClient(transport).listen('bench.events', (event) => events.push(event), onEnd);
  return { events, stream };
}
