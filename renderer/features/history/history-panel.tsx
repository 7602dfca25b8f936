import { memo } from 'react';
import type { RunId } from '../../../electron/contract/ids.ts';
import type { RunView } from '../../../electron/contract/state.ts';
import { useBenchState } from '../../mirror/bench-context.tsx';
import { formatDuration, formatInstant } from '../../ui/format.ts';
import { onListKey } from '../../ui/list-keys.ts';
import { OutcomeBadge } from '../../ui/outcome-badge.tsx';
import { Panel } from '../../ui/panel.tsx';
import { useNow } from '../../ui/use-now.ts';
import { runDurationMs } from '../machines/phases.ts';

interface HistoryPanelProps {
  selectedId: RunId | null;
  onSelect(runId: RunId): void;
}

/** Finished runs, newest first. */
export function HistoryPanel({ selectedId, onSelect }: HistoryPanelProps) {
  const history = useBenchState((state) => state.history);
  const tabStopId = history.find((run) => run.id === selectedId)?.id ?? history[0]?.id;
  const now = useNow();
  return (
    <Panel title="History" name="history" aside={history.length === 0 ? undefined : String(history.length)}>
      {history.length === 0 ? (
        <p className="empty muted">Finished runs are kept here with their traces.</p>
      ) : (
        <ul className="list" onKeyDown={onListKey}>
          {history.map((run) => (
            <HistoryRow
              key={run.id}
              run={run}
              // Only the day matters for what is shown, so that rows are not drawn anew each second.
              today={startOfDay(now)}
              isSelected={run.id === selectedId}
              isTabStop={run.id === tabStopId}
              onSelect={onSelect}
            />
          ))}
        </ul>
      )}
    </Panel>
  );
}

interface HistoryRowProps {
  run: RunView;
  today: number;
  isSelected: boolean;
  isTabStop: boolean;
  onSelect(runId: RunId): void;
}

const HistoryRow = memo(function HistoryRow({ run, today, isSelected, isTabStop, onSelect }: HistoryRowProps) {
  if (run.phase !== 'finished') return null;
  const { outcome, job } = run;
  const endedAt = run.timeline.at(-1)?.at ?? 0;
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
        <span className="item-line">
          <span className="item-title">{job.name}</span>
          <OutcomeBadge state={outcome.state} />
        </span>
        <span className="item-sub">
          {job.projectPath} <span className="muted">at</span> {job.ref}
        </span>
        {outcome.state !== 'success' && <span className="item-sub small">{outcome.why}</span>}
        <span className="item-sub muted small">
          {formatInstant(endedAt, today)} · {formatDuration(runDurationMs(run, endedAt))}
          {outcome.failureReason !== null && (
            <>
              {' · '}
              <code>{outcome.failureReason}</code>
            </>
          )}
        </span>
      </button>
    </li>
  );
});

function startOfDay(now: number): number {
  return new Date(now).setHours(0, 0, 0, 0);
}
