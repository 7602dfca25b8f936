import { expect, it, vi } from 'vitest';
import type { BenchEvent } from '../../../electron/contract/deltas.ts';
import type { BenchError } from '../../../electron/contract/errors.ts';
import type { RunId } from '../../../electron/contract/ids.ts';
import { createClient, type Transport } from '../../../electron/contract/transport.ts';
import { aBenchState, aRun } from '../../fakes/bench-state.ts';
import type { FakeBench } from '../../fakes/fake-bench.ts';

export interface Carried extends AsyncDisposable {
  bench: FakeBench;
  transport: Transport;
  /** Breaks the carrier from the bench's side. */
  cut(): Promise<void>;
}

/** What every transport of the contract promises. Call it inside a `describe` of the transport. */
export function itCarriesTheContract(open: () => Promise<Carried>): void {
  it('carries a call there and its answer back', async () => {
    await using carried = await open();
    await expect(createClient(carried.transport).call('lending.set', { isEnabled: false })).resolves.toBeNull();
    expect(carried.bench.state.lending.isEnabled).toBe(false);
  });

  it('answers each of many calls with its own answer', async () => {
    await using carried = await open();
    const id = aRun().id;
    carried.bench.begin(aRun());
    carried.bench.tracesById.set(
      id,
      new Uint8Array(100).map((_, index) => index),
    );
    const client = createClient(carried.transport);
    const slices = await Promise.all(
      Array.from({ length: 20 }, (_, fromByte) => client.call('trace.read', { runId: id, fromByte, maxBytes: 1 })),
    );
    expect(slices.map((slice) => Buffer.from(slice.base64, 'base64')[0])).toEqual([...Array(20).keys()]);
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
      await expect(carried.transport.call(name, {})).resolves.toMatchObject({
        ok: false,
        error: { code: 'contract/unknown-name' },
      });
    }
  });

  it('refuses input that the contract does not allow', async () => {
    await using carried = await open();
    for (const input of [null, {}, { isEnabled: 'yes' }, []]) {
      await expect(carried.transport.call('lending.set', input)).resolves.toMatchObject({
        ok: false,
        error: { code: 'contract/bad-input' },
      });
    }
    expect(carried.bench.state).toEqual(aBenchState());
  });

  it('begins a stream with a snapshot and goes on with numbered deltas', async () => {
    await using carried = await open();
    carried.bench.begin(aRun());
    const events: BenchEvent[] = [];
    using _stream = createClient(carried.transport).listen('bench.events', (event) => events.push(event));
    await vi.waitFor(() => expect(events).toHaveLength(1));
    carried.bench.apply({ kind: 'trace-grown', id: aRun().id, traceBytes: 5 });
    await vi.waitFor(() => expect(events).toHaveLength(2));
    expect(events).toEqual([
      { type: 'snapshot', seq: 1, state: aBenchState({ runsById: { [aRun().id]: aRun() } }) },
      { type: 'delta', seq: 2, delta: { kind: 'trace-grown', id: aRun().id, traceBytes: 5 } },
    ]);
  });

  it('ends a stream that nobody wants any more', async () => {
    await using carried = await open();
    const onEvent = vi.fn();
    const stream = createClient(carried.transport).listen('bench.events', onEvent);
    await vi.waitFor(() => expect(onEvent).toHaveBeenCalledOnce());
    stream[Symbol.dispose]();
    stream[Symbol.dispose]();
    await vi.waitFor(() => expect(carried.bench.streamCount).toBe(0));
    carried.bench.begin(aRun());
    await createClient(carried.transport).call('lending.set', { isEnabled: true });
    expect(onEvent).toHaveBeenCalledOnce();
  });

  it('ends a stream that the contract does not have with a reason', async () => {
    await using carried = await open();
    const ended = new Promise<BenchError>((resolve) => carried.transport.listen('nothing', () => {}, resolve));
    expect(await ended).toMatchObject({ code: 'contract/unknown-name' });
  });

  it('tells calls and streams when the carrier is gone, and leaves no stream open', async () => {
    await using carried = await open();
    const onEnd = vi.fn();
    const events: unknown[] = [];
    carried.transport.listen('bench.events', (event) => events.push(event), onEnd);
    await vi.waitFor(() => expect(events).toHaveLength(1));
    await carried.cut();
    await vi.waitFor(() => expect(onEnd).toHaveBeenCalledOnce());
    expect(onEnd.mock.calls[0]?.[0]).toMatchObject({ code: 'transport/closed' });
    expect(carried.bench.streamCount).toBe(0);
  });
}
