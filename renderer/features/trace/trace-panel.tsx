import type { RunView } from '../../../electron/contract/state.ts';
import { formatDuration } from '../../ui/format.ts';
import { OutcomeBadge } from '../../ui/outcome-badge.tsx';
import { useNow } from '../../ui/use-now.ts';
import { phaseWord } from '../../ui/words.ts';
import { PhaseStepper } from '../machines/phase-stepper.tsx';
import { runDurationMs } from '../machines/phases.ts';
import { RunTrace } from './run-trace.tsx';

/** The selected run: what it is, how far it came, its trace and its console. */
export function TracePanel({ run, isWide }: { run: RunView | null; isWide: boolean }) {
  if (run === null) {
    return (
      <section className="panel panel-trace" aria-label="Trace">
        <div className="trace-none">
          <p>No run is selected.</p>
          <p className="muted">The trace of a job appears here while its machine writes it.</p>
        </div>
      </section>
    );
  }
  return (
    <section className="panel panel-trace" aria-labelledby="trace-title">
      <RunHead run={run} isWide={isWide} />
      <RunTrace key={run.id} run={run} isWide={isWide} />
    </section>
  );
}

function RunHead({ run, isWide }: { run: RunView; isWide: boolean }) {
  const now = useNow();
  const { job } = run;
  return (
    <div className="run-head">
      <div className="item-line">
        <h2 id="trace-title">{job.name}</h2>
        {run.phase === 'finished' ? (
          <OutcomeBadge state={run.outcome.state} />
        ) : (
          <span className="badge tone-info">{phaseWord(run.phase)}</span>
        )}
        <span className="muted small">{formatDuration(runDurationMs(run, now))}</span>
      </div>
      <p className="small run-facts">
        {job.projectPath} <span className="muted">at</span> {job.ref}{' '}
        <code className="muted">{job.sha.slice(0, 8)}</code>
        <span className="muted">
          {' '}
          · stage {job.stage} · job {job.id} · {run.machine}
        </span>
      </p>
      {run.phase === 'finished' && run.outcome.state !== 'success' && (
        <p className="small run-why">
          {run.outcome.why}
          {run.outcome.failureReason !== null && (
            <>
              {' '}
              <code className="muted">{run.outcome.failureReason}</code>
            </>
          )}
          {run.outcome.error !== null && <span className="muted"> {run.outcome.error.remedy}</span>}
        </p>
      )}
      <PhaseStepper run={run} now={now} hasLabels={isWide} />
    </div>
  );
}
