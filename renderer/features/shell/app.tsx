import { Tooltip } from 'radix-ui';
import { useMemo, useState } from 'react';
import type { RunId } from '../../../electron/contract/ids.ts';
import { useBenchState, useMirror } from '../../mirror/bench-context.tsx';
import { findRun, nextSelection, type Selection } from '../../mirror/selection.ts';
import { Mark } from '../../ui/icons.tsx';
import { useMedia } from '../../ui/use-media.ts';
import { CapacityPanel } from '../capacity/capacity-panel.tsx';
import { HistoryPanel } from '../history/history-panel.tsx';
import { MachinesPanel } from '../machines/machines-panel.tsx';
import { RunnersPanel } from '../runners/runners-panel.tsx';
import { TracePanel } from '../trace/trace-panel.tsx';
import { ConnectionNotice } from './connection-notice.tsx';
import { Header } from './header.tsx';
import { LiveRegion } from './live-region.tsx';
import { Problems } from './problems.tsx';

/** The whole window. */
export function App() {
  const isKnown = useMirror(({ bench }) => bench !== null);
  return (
    <Tooltip.Provider delayDuration={300}>
      <LiveRegion />
      {isKnown ? <Bench /> : <Connecting />}
    </Tooltip.Provider>
  );
}

function Connecting() {
  return (
    <main className="connecting">
      <Mark />
      <h1>Forrest Bench</h1>
      <p className="muted">Connecting to the bench</p>
      <ConnectionNotice />
    </main>
  );
}

function Bench() {
  const isWide = useMedia('(min-width: 960px)');
  const runsById = useBenchState((state) => state.runsById);
  const history = useBenchState((state) => state.history);
  const [kept, setSelection] = useState<Selection>({ kind: 'auto', runId: null });
  const runs = useMemo(() => ({ runsById, history }), [runsById, history]);
  const selection = nextSelection(kept, runs);
  if (selection !== kept) setSelection(selection);
  const run = findRun(runs, selection.runId);

  function select(runId: RunId) {
    setSelection({ kind: 'chosen', runId });
    if (!isWide) document.querySelector('.panel-trace')?.scrollIntoView({ block: 'start' });
  }

  const machines = <MachinesPanel selectedId={selection.runId} onSelect={select} />;
  const trace = <TracePanel run={run} isWide={isWide} />;
  const others = (
    <>
      <CapacityPanel />
      <RunnersPanel />
      <HistoryPanel selectedId={selection.runId} onSelect={select} />
    </>
  );
  return (
    <div className={isWide ? 'window window-wide' : 'window window-narrow'}>
      <Header />
      <div className="notices">
        <ConnectionNotice />
        <Problems />
      </div>
      {isWide ? (
        <main className="columns">
          <div className="column-lists">
            {machines}
            {others}
          </div>
          {trace}
        </main>
      ) : (
        <main className="stack">
          {machines}
          {trace}
          {others}
        </main>
      )}
    </div>
  );
}
