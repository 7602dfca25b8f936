import { z } from 'zod';
import { runIdSchema } from './ids.ts';
import {
  type BenchState,
  benchStateSchema,
  capacityViewSchema,
  historyLimit,
  hostViewSchema,
  lendingViewSchema,
  problemSchema,
  runnerViewSchema,
  runViewSchema,
} from './state.ts';

/** One change of the bench state. A run that is `finished` leaves `runsById` and heads `history`. */
export const deltaSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('host'), host: hostViewSchema }),
  z.object({ kind: z.literal('lending'), lending: lendingViewSchema }),
  z.object({ kind: z.literal('capacity'), capacity: capacityViewSchema }),
  z.object({ kind: z.literal('runner'), runner: runnerViewSchema }),
  z.object({ kind: z.literal('run'), run: runViewSchema }),
  z.object({ kind: z.literal('run-dropped'), id: runIdSchema }),
  z.object({ kind: z.literal('trace-grown'), id: runIdSchema, traceBytes: z.int().nonnegative() }),
  z.object({ kind: z.literal('problem'), problem: problemSchema }),
  z.object({ kind: z.literal('problem-solved'), id: z.string() }),
]);
export type Delta = z.infer<typeof deltaSchema>;

/** What `bench.events` carries: a snapshot first, then deltas numbered from `seq + 1` without a gap. */
export const benchEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('snapshot'), seq: z.int().nonnegative(), state: benchStateSchema }),
  z.object({ type: z.literal('delta'), seq: z.int().positive(), delta: deltaSchema }),
]);
export type BenchEvent = z.infer<typeof benchEventSchema>;

/** Pure; core and mirror run the same one. Returns the very same object where nothing changes. */
export function applyDelta(state: BenchState, delta: Delta): BenchState {
  switch (delta.kind) {
    case 'host':
      return { ...state, host: delta.host };
    case 'lending':
      return { ...state, lending: delta.lending };
    case 'capacity':
      return { ...state, capacity: delta.capacity };
    case 'runner':
      return { ...state, runnersById: { ...state.runnersById, [delta.runner.id]: delta.runner } };
    case 'run': {
      const { run } = delta;
      if (run.phase !== 'finished') return { ...state, runsById: { ...state.runsById, [run.id]: run } };
      const { [run.id]: _, ...runsById } = state.runsById;
      const history = [run, ...state.history.filter((known) => known.id !== run.id)].slice(0, historyLimit);
      return { ...state, runsById, history };
    }
    case 'run-dropped': {
      if (!(delta.id in state.runsById)) return state;
      const { [delta.id]: _, ...runsById } = state.runsById;
      return { ...state, runsById };
    }
    case 'trace-grown': {
      const run = state.runsById[delta.id];
      if (run === undefined || run.traceBytes === delta.traceBytes) return state;
      return { ...state, runsById: { ...state.runsById, [delta.id]: { ...run, traceBytes: delta.traceBytes } } };
    }
    case 'problem': {
      const others = state.problems.filter((known) => known.id !== delta.problem.id);
      return { ...state, problems: [...others, delta.problem] };
    }
    case 'problem-solved': {
      const problems = state.problems.filter((known) => known.id !== delta.id);
      return problems.length === state.problems.length ? state : { ...state, problems };
    }
  }
}
