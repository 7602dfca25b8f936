import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyDelta, type Delta } from '../../../electron/contract/deltas.ts';
import type { RunId } from '../../../electron/contract/ids.ts';
import type { RunView } from '../../../electron/contract/state.ts';
import { aBenchState, aRun } from '../../fakes/bench-state.ts';

const { pid: _pid, isCanceling: _isCanceling, ...common } = aRun();
const finished: RunView = {
  ...common,
  phase: 'finished',
  outcome: { state: 'success', failureReason: null, exitCode: 0, why: 'The job succeeded.', error: null },
};

describe('applyDelta', () => {
  it('moves a finished run from the live ones to the head of the history', () => {
    const state = aBenchState({ runsById: { [finished.id]: aRun() } });
    expect(applyDelta(state, { kind: 'run', run: finished })).toEqual({ ...state, runsById: {}, history: [finished] });
  });

  it('grows the trace of a live run', () => {
    const state = aBenchState({ runsById: { [finished.id]: aRun() } });
    const next = applyDelta(state, { kind: 'trace-grown', id: finished.id, traceBytes: 99 });
    expect(next.runsById[finished.id]?.traceBytes).toBe(99);
  });

  it.each<[string, Delta]>([
    ['a trace of an unknown run', { kind: 'trace-grown', id: 'ffffffff' as RunId, traceBytes: 1 }],
    ['dropping an unknown run', { kind: 'run-dropped', id: 'ffffffff' as RunId }],
    ['solving an unknown problem', { kind: 'problem-solved', id: 'none' }],
  ])('returns the very same state for %s', (_name, delta) => {
    const state = aBenchState();
    expect(applyDelta(state, delta)).toBe(state);
  });

  it('keeps every run in exactly one place, whatever the order of deltas', () => {
    const ids = ['00000001', '00000002', '00000003'] as RunId[];
    const delta = fc.oneof(
      fc.constantFrom(...ids).map((id): Delta => ({ kind: 'run', run: { ...aRun(), id } })),
      fc.constantFrom(...ids).map((id): Delta => ({ kind: 'run', run: { ...finished, id } })),
      fc.constantFrom(...ids).map((id): Delta => ({ kind: 'run-dropped', id })),
    );
    fc.assert(
      fc.property(fc.array(delta, { maxLength: 30 }), (deltas) => {
        const { history } = deltas.reduce(applyDelta, aBenchState());
        expect(new Set(history.map((run) => run.id)).size).toBe(history.length);
        expect(history.every((run) => run.phase === 'finished')).toBe(true);
      }),
    );
  });
});
