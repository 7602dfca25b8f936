import { useMemo } from 'react';
import type { RunId } from '../../../electron/contract/ids.ts';
import { useBenchState } from '../../mirror/bench-context.tsx';
import { liveRuns } from '../../mirror/selection.ts';
import { onListKey } from '../../ui/list-keys.ts';
import { Panel } from '../../ui/panel.tsx';
import { NoMachines } from './no-machines.tsx';
import { RunCard } from './run-card.tsx';

interface MachinesPanelProps {
  selectedId: RunId | null;
  onSelect(runId: RunId): void;
}

/** The live runs, newest first. */
export function MachinesPanel({ selectedId, onSelect }: MachinesPanelProps) {
  const runsById = useBenchState((state) => state.runsById);
  const slotCount = useBenchState((state) => state.capacity.lent.slotCount);
  const runs = useMemo(() => liveRuns({ runsById }), [runsById]);
  const tabStopId = runs.find((run) => run.id === selectedId)?.id ?? runs[0]?.id;
  return (
    <Panel
      title="Machines"
      name="machines"
      aside={slotCount === 0 ? undefined : `${runs.length} of ${slotCount} running`}
    >
      {runs.length === 0 ? (
        <NoMachines />
      ) : (
        <ul className="list" onKeyDown={onListKey}>
          {runs.map((run) => (
            <RunCard
              key={run.id}
              run={run}
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
