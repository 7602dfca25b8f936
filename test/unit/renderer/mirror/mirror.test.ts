import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { applyDelta, type BenchEvent, type Delta } from '../../../../electron/contract/deltas.ts';
import { BenchError } from '../../../../electron/contract/errors.ts';
import type { RunId } from '../../../../electron/contract/ids.ts';
import { createClient, type Transport } from '../../../../electron/contract/transport.ts';
import { backOffMs, followBench } from '../../../../renderer/mirror/follow-bench.ts';
import { createMirrorStore } from '../../../../renderer/mirror/mirror-store.ts';
import { type Mirrored, receive } from '../../../../renderer/mirror/receive.ts';
import { aBenchState, aRun } from '../../../fakes/bench-state.ts';

const lost = new BenchError('transport/closed', 'The connection to the bench was lost', { remedy: 'Wait.' });
const off: Delta = { kind: 'lending', lending: { isEnabled: false, isLending: false, reasons: ['Off.'] } };

/** A transport whose streams the test feeds, one after the other. */
class Streams implements Transport {
  readonly opened: { onEvent(event: unknown): void; onEnd(error: BenchError): void; isOpen: boolean }[] = [];

  async call(): Promise<unknown> {
    throw lost;
  }

  listen(_name: string, onEvent: (event: unknown) => void, onEnd: (error: BenchError) => void): Disposable {
    const stream = { onEvent, onEnd, isOpen: true };
    this.opened.push(stream);
    return {
      [Symbol.dispose]() {
        stream.isOpen = false;
      },
    };
  }

  send(event: BenchEvent): void {
    this.opened.at(-1)?.onEvent(event);
  }

  lose(): void {
    this.opened.at(-1)?.onEnd(lost);
  }
}

function following() {
  const streams = new Streams();
  const mirror = createMirrorStore();
  const stop = new AbortController();
  const waits: { durationMs: number; end(): void }[] = [];
  const done = followBench(
    {
      client: createClient(streams),
      mirror,
      now: () => 1_000,
      wait: (durationMs, signal) =>
        new Promise((resolve) => {
          waits.push({ durationMs, end: resolve });
          signal.addEventListener('abort', () => resolve());
        }),
    },
    stop.signal,
  );
  return {
    streams,
    mirror,
    waits,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

describe('receive', () => {
  it('makes of a snapshot and its deltas the state, whatever they are', () => {
    const run = fc.constantFrom(...(['00000001', '00000002'] as RunId[]));
    const delta = fc.oneof(
      fc.constant(off),
      run.map((id): Delta => ({ kind: 'run', run: { ...aRun(), id } })),
      fc.tuple(run, fc.nat()).map(([id, traceBytes]): Delta => ({ kind: 'trace-grown', id, traceBytes })),
    );
    fc.assert(
      fc.property(fc.nat({ max: 1_000 }), fc.array(delta, { maxLength: 20 }), (seq, deltas) => {
        let known: Mirrored | 'gap' = receive(null, { type: 'snapshot', seq, state: aBenchState() });
        for (const [at, each] of deltas.entries()) {
          known = known === 'gap' ? known : receive(known, { type: 'delta', seq: seq + at + 1, delta: each });
        }
        expect(known).toEqual({ seq: seq + deltas.length, state: deltas.reduce(applyDelta, aBenchState()) });
      }),
    );
  });

  it.each([5, 6, 8])('sees a gap when event %i comes after event 6', (seq) => {
    expect(receive({ seq: 6, state: aBenchState() }, { type: 'delta', seq, delta: off })).toBe('gap');
  });

  it('sees a gap in a delta that comes first', () => {
    expect(receive(null, { type: 'delta', seq: 1, delta: off })).toBe('gap');
  });
});

describe('followBench', () => {
  it('is connecting, then live with the state of the core', async () => {
    await using follow = following();
    expect(follow.mirror.getState()).toEqual({ bench: null, connection: { kind: 'connecting' } });
    follow.streams.send({ type: 'snapshot', seq: 3, state: aBenchState() });
    follow.streams.send({ type: 'delta', seq: 4, delta: off });
    expect(follow.mirror.getState()).toEqual({
      bench: applyDelta(aBenchState(), off),
      connection: { kind: 'live' },
    });
  });

  it('listens again after a gap, without a pause and without a word', async () => {
    await using follow = following();
    follow.streams.send({ type: 'snapshot', seq: 3, state: aBenchState() });
    follow.streams.send({ type: 'delta', seq: 5, delta: off });
    await vi.waitFor(() => expect(follow.streams.opened.length).toBe(2));
    expect([follow.streams.opened[0]?.isOpen, follow.waits, follow.mirror.getState().connection]).toEqual([
      false,
      [],
      { kind: 'live' },
    ]);
    const later = aBenchState({ version: '0.2.0' });
    follow.streams.send({ type: 'snapshot', seq: 5, state: later });
    expect(follow.mirror.getState().bench).toEqual(later);
  });

  it('says that it is lost, keeps what it knows, and comes back', async () => {
    await using follow = following();
    follow.streams.send({ type: 'snapshot', seq: 3, state: aBenchState() });
    follow.streams.lose();
    await vi.waitFor(() => expect(follow.waits.length).toBe(1));
    expect(follow.mirror.getState()).toEqual({
      bench: aBenchState(),
      connection: {
        kind: 'lost',
        error: { code: lost.code, message: lost.message, remedy: lost.remedy },
        retryAt: 1_250,
      },
    });
    follow.waits[0]?.end();
    await vi.waitFor(() => expect(follow.streams.opened.length).toBe(2));
    follow.streams.send({ type: 'snapshot', seq: 0, state: aBenchState() });
    expect(follow.mirror.getState().connection).toEqual({ kind: 'live' });
  });

  it('waits longer each time nothing answers, and short again after it was live', async () => {
    await using follow = following();
    for (const count of [1, 2, 3]) {
      follow.streams.lose();
      await vi.waitFor(() => expect(follow.waits.length).toBe(count));
      follow.waits.at(-1)?.end();
      await vi.waitFor(() => expect(follow.streams.opened.length).toBe(count + 1));
    }
    follow.streams.send({ type: 'snapshot', seq: 0, state: aBenchState() });
    follow.streams.lose();
    await vi.waitFor(() => expect(follow.waits.length).toBe(4));
    expect(follow.waits.map((wait) => wait.durationMs)).toEqual([250, 500, 1_000, 250]);
  });

  it('does not go round in circles when a stream begins with a delta', async () => {
    await using follow = following();
    follow.streams.send({ type: 'delta', seq: 1, delta: off });
    await vi.waitFor(() => expect(follow.waits.length).toBe(1));
    expect(follow.mirror.getState().connection).toMatchObject({
      kind: 'lost',
      error: { code: 'transport/out-of-order' },
    });
  });

  it('closes its stream when it is told to end', async () => {
    const follow = following();
    follow.streams.send({ type: 'snapshot', seq: 0, state: aBenchState() });
    await follow[Symbol.asyncDispose]();
    expect(follow.streams.opened.map((stream) => stream.isOpen)).toEqual([false]);
  });
});

describe('backOffMs', () => {
  it('doubles up to five seconds', () => {
    expect([1, 2, 3, 4, 5, 6, 60].map(backOffMs)).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  });
});
