import { memo } from 'react';
import type { RunId } from '../../../electron/contract/ids.ts';
import type { RunView } from '../../../electron/contract/state.ts';
import { formatBytes, formatDuration } from '../../ui/format.ts';
import { useNow } from '../../ui/use-now.ts';
import { phaseWord } from '../../ui/words.ts';
import { PhaseStepper } from './phase-stepper.tsx';
import { phaseDurationMs } from './phases.ts';
import { StopButton } from './stop-button.tsx';

interface RunCardProps {
  run: RunView;
  isSelected: boolean;
  isTabStop: boolean;
  onSelect(runId: RunId): void;
}

/** A live run: whose job it is, where it runs, and how far it has come. */
export const RunCard = memo(function RunCard({ run, isSelected, isTabStop, onSelect }: RunCardProps) {
  const now = useNow();
  const { job } = run;
  const pid = 'pid' in run ? ` · pid ${run.pid}` : '';
  return (
    <li className={isSelected ? 'item item-selected' : 'item'}>
      <button
        type="button"
        className="item-button"
        data-list-item
        tabIndex={isTabStop ? 0 : -1}
        aria-current={isSelected ? 'true' : undefined}
        onClick={() => onSelect(run.id)}
      >
        <span className="item-title">{job.name}</span>
        <span className="item-sub">
          {job.projectPath} <span className="muted">at</span> {job.ref}
        </span>
        <span className="item-sub muted small">
          {run.machine} · {run.image}
          {pid} · {formatBytes(run.traceBytes)}
        </span>
      </button>
      <div className="item-corner">
        <StopButton run={run} />
      </div>
      <div className="item-foot">
        <PhaseStepper run={run} now={now} hasLabels={false} />
        <span className="small item-phase">
          <strong>{isCanceling(run) ? 'Canceling' : phaseWord(run.phase)}</strong>{' '}
          <span className="muted">{formatDuration(phaseDurationMs(run, now))}</span>
        </span>
      </div>
    </li>
  );
});

function isCanceling(run: RunView): boolean {
  return run.phase === 'running' && run.isCanceling;
}
