import type { RunView } from '../../electron/contract/state.ts';
import type { DemoPipeline } from '../fakes/gitlab/demo-pipeline.ts';

type FinishedRun = Extract<RunView, { phase: 'finished' }>;

export interface DemoSummary {
  text: string;
  isAsExpected: boolean;
}

/**
 * The table at the end. A job is as expected when GitLab has the expected state and reason, our history says the same,
 * and our trace is GitLab's, byte for byte.
 */
export async function summary(
  pipeline: DemoPipeline,
  finished: readonly FinishedRun[],
  readTrace: (runId: string) => Promise<Uint8Array>,
): Promise<DemoSummary> {
  const rows: string[][] = [['job', 'expected', 'GitLab says', 'bench says', 'boot', 'whole', 'trace', 'verdict']];
  let isAsExpected = true;
  for (const expected of pipeline.expected) {
    const job = pipeline.jobs.find((candidate) => candidate.name === expected.name);
    const run = finished.find((candidate) => candidate.job.name === expected.name);
    if (job === undefined || run === undefined) {
      rows.push([
        expected.name,
        expected.expectedState,
        job?.state ?? '-',
        'never ran',
        '-',
        '-',
        '-',
        'NOT AS EXPECTED',
      ]);
      isAsExpected = false;
      continue;
    }
    const ours = Buffer.from(await readTrace(run.id));
    const isSameTrace = ours.equals(job.trace) && ours.length > 0;
    const isRight =
      job.state === expected.expectedState &&
      job.failureReason === expected.failureReason &&
      run.outcome.state === expected.expectedState &&
      isSameTrace;
    isAsExpected &&= isRight;
    rows.push([
      expected.name,
      state(expected.expectedState, expected.failureReason),
      state(job.state, job.failureReason),
      state(run.outcome.state, run.outcome.failureReason),
      seconds(run, 'booting', 'ready'),
      seconds(run, 'accepted', 'finished'),
      `${ours.length} bytes, ${isSameTrace ? 'equal' : `DIFFERENT (GitLab has ${job.trace.length})`}`,
      isRight ? 'as expected' : 'NOT AS EXPECTED',
    ]);
  }
  const verdict = isAsExpected ? 'Everything came as expected.' : 'Something did not come as expected.';
  return { text: `\n${table(rows)}\n\n${verdict}`, isAsExpected };
}

function state(name: string, reason: string | null): string {
  return reason === null ? name : `${name} (${reason})`;
}

function seconds(run: FinishedRun, from: string, to: string): string {
  const at = (phase: string) => run.timeline.find((mark) => mark.phase === phase)?.at;
  const [start, end] = [at(from), at(to)];
  return start === undefined || end === undefined ? '-' : `${((end - start) / 1000).toFixed(1)} s`;
}

function table(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
