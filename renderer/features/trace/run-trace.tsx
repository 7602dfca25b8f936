import { Tabs } from 'radix-ui';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { watchMs } from '../../../electron/contract/contract.ts';
import type { RunView } from '../../../electron/contract/state.ts';
import { useBench, useIsLive } from '../../mirror/bench-context.tsx';
import { useHotkey } from '../../ui/use-hotkey.ts';
import { benchSource, type TraceKind } from './bench-source.ts';
import { TraceReader } from './trace-reader.ts';
import { TraceToolbar } from './trace-toolbar.tsx';
import { TraceView } from './trace-view.tsx';

/** How often the console of a live run is asked for more, in milliseconds: the bench state says nothing of it. */
const consolePauseMs = 1_000;

const kinds: readonly TraceKind[] = ['trace', 'console'];

/** Trace and console of one run, in tabs with a common toolbar. Made anew for another run. */
export function RunTrace({ run, isWide }: { run: RunView; isWide: boolean }) {
  const { client } = useBench();
  const isLive = useIsLive();
  const [readers] = useState(() => ({
    trace: new TraceReader(benchSource(client, 'trace', run.id)),
    console: new TraceReader(benchSource(client, 'console', run.id)),
  }));
  const [kind, setKind] = useState<TraceKind>('trace');
  const [isFollowing, setFollowing] = useState(true);
  const [hasTimes, setHasTimes] = useState(isWide);
  useHotkey('f', () => setFollowing((following) => !following));

  useEffect(
    () => () => {
      readers.trace[Symbol.dispose]();
      readers.console[Symbol.dispose]();
    },
    [readers],
  );
  const isFinished = run.phase === 'finished';
  // The state says how far a live trace has grown; a finished one is read to its end, whatever was said last.
  const expectedBytes = isFinished ? Number.POSITIVE_INFINITY : run.traceBytes;
  useEffect(() => {
    if (isLive) void readers.trace.readMore(expectedBytes);
  }, [readers, isLive, expectedBytes]);
  useEffect(() => {
    if (!isLive || isFinished) return;
    // Whatever goes wrong here, the trace only comes later; reading it says what is wrong.
    const watch = () => void client.call('trace.watch', { runId: run.id }).catch(() => {});
    watch();
    const timer = setInterval(watch, watchMs / 3);
    return () => clearInterval(timer);
  }, [client, isLive, isFinished, run.id]);
  useEffect(() => {
    if (!isLive || kind !== 'console') return;
    void readers.console.readMore();
    if (isFinished) return;
    const timer = setInterval(() => void readers.console.readMore(), consolePauseMs);
    return () => clearInterval(timer);
  }, [readers, isLive, kind, isFinished]);

  const reader = readers[kind];
  useSyncExternalStore(reader.subscribe, reader.version);
  return (
    <Tabs.Root
      className="trace-tabs"
      value={kind}
      onValueChange={(value) => setKind(value === 'console' ? 'console' : 'trace')}
    >
      <div className="trace-bar">
        <Tabs.List className="tabs" aria-label="What is shown of this run">
          <Tabs.Trigger className="tab" value="trace">
            Trace
          </Tabs.Trigger>
          <Tabs.Trigger className="tab" value="console">
            Console
          </Tabs.Trigger>
        </Tabs.List>
        <TraceToolbar
          reader={reader}
          kind={kind}
          run={run}
          isFollowing={isFollowing}
          onFollow={setFollowing}
          showsTimes={hasTimes}
          onShowTimes={setHasTimes}
        />
      </div>
      {kinds.map((each) => (
        <Tabs.Content className="trace-content" key={each} value={each} tabIndex={-1}>
          <TraceView
            reader={readers[each]}
            kind={each}
            run={run}
            isFollowing={isFollowing}
            onFollow={setFollowing}
            showsTimes={hasTimes}
          />
        </Tabs.Content>
      ))}
    </Tabs.Root>
  );
}
