import type { EpochMs, JobId, RunId, RunnerId } from '../../electron/contract/ids.ts';
import type { BenchState, RunView } from '../../electron/contract/state.ts';

const noon = Date.parse('2026-11-23T12:00:00Z') as EpochMs;
const none = { cpus: 0, memoryBytes: 0, diskBytes: 0, slotCount: 0 };

/** A bench state with nothing going on; the argument overrides whole fields. */
export function aBenchState(more: Partial<BenchState> = {}): BenchState {
  return {
    version: '0.1.0',
    startedAt: noon,
    host: { accelerator: null, egress: null, qemuVersion: null },
    lending: { isEnabled: true, isLending: true, reasons: [] },
    capacity: { lent: none, reserved: none, host: none },
    runnersById: {},
    runsById: {},
    history: [],
    problems: [],
    ...more,
  };
}

/** A running run; the argument overrides whole fields. */
export function aRun(
  more: Partial<Extract<RunView, { phase: 'running' }>> = {},
): Extract<RunView, { phase: 'running' }> {
  return {
    id: '0a1b2c3d' as RunId,
    runner: 'work/build' as RunnerId,
    machine: 'debian-build',
    image: 'debian-12',
    job: {
      id: 7 as JobId,
      name: 'build',
      stage: 'build',
      projectPath: 'lab/firmware',
      ref: 'main',
      sha: 'abc',
      webUrl: null,
    },
    timeline: [
      { phase: 'reserved', at: noon },
      { phase: 'accepted', at: (noon + 10) as EpochMs },
      { phase: 'running', at: (noon + 5_000) as EpochMs },
    ],
    traceBytes: 0,
    phase: 'running',
    pid: 4242,
    isCanceling: false,
    ...more,
  };
}
