import type { RunId } from '../../electron/contract/ids.ts';
import type { BenchState, RunView } from '../../electron/contract/state.ts';

/** Which run's trace is shown: the newest live one by itself, until the user chooses. */
export type Selection = { kind: 'auto'; runId: RunId | null } | { kind: 'chosen'; runId: RunId };

type Runs = Pick<BenchState, 'runsById' | 'history'>;

/** Live runs, newest first. */
export function liveRuns(runs: Pick<BenchState, 'runsById'>): RunView[] {
  return Object.values(runs.runsById).sort((a, b) => beganAt(b) - beganAt(a) || (a.id < b.id ? -1 : 1));
}

/** When a run was reserved, in milliseconds since 1970. */
export function beganAt(run: RunView): number {
  return run.timeline[0]?.at ?? 0;
}

export function findRun(runs: Runs, runId: RunId | null): RunView | null {
  if (runId === null) return null;
  return runs.runsById[runId] ?? runs.history.find((run) => run.id === runId) ?? null;
}

/**
 * The selection after the bench changed. A run that finishes stays shown until a newer one lives; a chosen run that
 * is gone gives the choice back. Returns the very same object where nothing changes.
 */
export function nextSelection(selection: Selection, runs: Runs): Selection {
  if (selection.kind === 'chosen' && findRun(runs, selection.runId) !== null) return selection;
  const newest = liveRuns(runs)[0] ?? findRun(runs, selection.runId) ?? runs.history[0] ?? null;
  const runId = newest?.id ?? null;
  return selection.kind === 'auto' && selection.runId === runId ? selection : { kind: 'auto', runId };
}
