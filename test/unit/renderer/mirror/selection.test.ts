import { describe, expect, it } from 'vitest';
import type { EpochMs, RunId } from '../../../../electron/contract/ids.ts';
import type { RunView } from '../../../../electron/contract/state.ts';
import { announcement } from '../../../../renderer/mirror/announcement.ts';
import { liveRuns, nextSelection, type Selection } from '../../../../renderer/mirror/selection.ts';
import { aBenchState, aRun } from '../../../fakes/bench-state.ts';

const id = (text: string) => text as RunId;
const live = (text: string, at: number) => aRun({ id: id(text), timeline: [{ phase: 'reserved', at: at as EpochMs }] });
function finished(text: string, at: number, state: 'success' | 'failed' = 'success'): RunView {
  const { pid: _pid, isCanceling: _isCanceling, ...common } = live(text, at);
  const outcome = { state, failureReason: null, exitCode: null, why: 'It ended.', error: null };
  return { ...common, phase: 'finished', outcome };
}
const withRuns = (runs: RunView[], history: RunView[] = []) =>
  aBenchState({ runsById: Object.fromEntries(runs.map((run) => [run.id, run])), history });

describe('liveRuns', () => {
  it('puts the newest first, and equal ones in a fixed order', () => {
    const runs = withRuns([live('00000002', 5), live('00000001', 5), live('00000003', 9)]);
    expect(liveRuns(runs).map((run) => run.id)).toEqual(['00000003', '00000001', '00000002']);
  });
});

describe('nextSelection', () => {
  const nothing: Selection = { kind: 'auto', runId: null };

  it.each<[string, Selection, ReturnType<typeof withRuns>, Selection]>([
    ['stays empty while there is no run', nothing, withRuns([]), nothing],
    [
      'goes to the newest live run by itself',
      { kind: 'auto', runId: id('00000001') },
      withRuns([live('00000001', 1), live('00000002', 2)]),
      { kind: 'auto', runId: id('00000002') },
    ],
    [
      'stays with a run that has finished while there is no live one',
      { kind: 'auto', runId: id('00000001') },
      withRuns([], [finished('00000002', 9), finished('00000001', 1)]),
      { kind: 'auto', runId: id('00000001') },
    ],
    [
      'shows the newest of the history at first',
      nothing,
      withRuns([], [finished('00000002', 9), finished('00000001', 1)]),
      { kind: 'auto', runId: id('00000002') },
    ],
    [
      'stays with what the user chose when newer runs come',
      { kind: 'chosen', runId: id('00000001') },
      withRuns([live('00000002', 2)], [finished('00000001', 1)]),
      { kind: 'chosen', runId: id('00000001') },
    ],
    [
      'chooses by itself again when the chosen run is gone',
      { kind: 'chosen', runId: id('00000009') },
      withRuns([live('00000002', 2)]),
      { kind: 'auto', runId: id('00000002') },
    ],
  ])('%s', (_name, selection, state, next) => {
    expect(nextSelection(selection, state)).toEqual(next);
  });

  it('returns the very same object where nothing changes', () => {
    const selection: Selection = { kind: 'auto', runId: id('00000001') };
    expect(nextSelection(selection, withRuns([live('00000001', 1)]))).toBe(selection);
  });
});

describe('announcement', () => {
  const quiet = withRuns([live('00000001', 1)]);
  const notLending = { isEnabled: true, isLending: false, reasons: ['On battery.'] };

  it.each<[string, ReturnType<typeof withRuns>, string]>([
    ['a run that came', withRuns([live('00000001', 1), live('00000002', 2)]), 'build: running.'],
    ['a run that failed', withRuns([], [finished('00000001', 1, 'failed')]), 'build: failed.'],
    ['the end of lending', { ...quiet, lending: notLending }, 'Not lending.'],
    ['a trace that grew', withRuns([{ ...live('00000001', 1), traceBytes: 9 }]), ''],
  ])('says of %s: %s', (_name, after, text) => {
    expect(announcement(quiet, after)).toBe(text);
  });
});
