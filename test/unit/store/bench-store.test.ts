import { expect, it } from 'vitest';
import { applyDelta, type BenchEvent } from '../../../electron/contract/deltas.ts';
import { BenchStore } from '../../../electron/core/store/bench-store.ts';
import { aBenchState, aRun } from '../../fakes/bench-state.ts';
import { FakeClock } from '../../fakes/clock.ts';

function subscribed() {
  const clock = new FakeClock();
  const store = new BenchStore({ clock }, aBenchState());
  const events: BenchEvent[] = [];
  const subscription = store.subscribe((event) => events.push(event));
  return { clock, store, events, subscription };
}

it('sends a snapshot, then deltas numbered without a gap that lead to the state', () => {
  const { store, events } = subscribed();
  store.apply({ kind: 'run', run: aRun() });
  store.apply({ kind: 'lending', lending: { isEnabled: false, isLending: false, reasons: ['off'] } });
  expect(events.map((event) => event.seq)).toEqual([0, 1, 2]);
  const rebuilt = events.reduce(
    (state, event) => (event.type === 'snapshot' ? event.state : applyDelta(state, event.delta)),
    aBenchState({ version: 'none' }),
  );
  expect(rebuilt).toEqual(store.state);
});

it('does not number what changes nothing', () => {
  const { store, events } = subscribed();
  store.apply({ kind: 'problem-solved', id: 'none' });
  expect(events).toHaveLength(1);
});

it('tells a growing trace once for many reports', async () => {
  const { clock, store, events } = subscribed();
  store.apply({ kind: 'run', run: aRun() });
  for (const size of [10, 20, 30]) store.growTrace(aRun().id, size);
  await clock.advance(100);
  expect(events.slice(2)).toEqual([
    { type: 'delta', seq: 2, delta: { kind: 'trace-grown', id: aRun().id, traceBytes: 30 } },
  ]);
});

it('says nothing to a listener that has left', () => {
  const { store, events, subscription } = subscribed();
  subscription[Symbol.dispose]();
  store.apply({ kind: 'run', run: aRun() });
  expect(events).toHaveLength(1);
});
