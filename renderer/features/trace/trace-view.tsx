import { useCallback, useMemo, useState } from 'react';
import type { RunView } from '../../../electron/contract/state.ts';
import { ErrorNote } from '../../ui/error-note.tsx';
import { formatBytes, formatCount } from '../../ui/format.ts';
import { useNow } from '../../ui/use-now.ts';
import { noOutputSentence } from '../machines/phases.ts';
import type { TraceKind } from './bench-source.ts';
import { css, traceColours } from './palette.ts';
import { type Folding, hiddenRanges, isFolded, RowMap } from './row-map.ts';
import { heldLimitBytes, type TraceReader } from './trace-reader.ts';
import { TraceRows } from './trace-rows.tsx';

interface TraceViewProps {
  reader: TraceReader;
  kind: TraceKind;
  run: RunView;
  isFollowing: boolean;
  onFollow(isFollowing: boolean): void;
  showsTimes: boolean;
}

/** Lines of a trace or console, with what is folded, and what there is to say when there are none. */
export function TraceView({ reader, kind, run, isFollowing, onFollow, showsTimes }: TraceViewProps) {
  const [folding, setFolding] = useState<Folding>(new Map());
  const { index, status } = reader;
  const { rowCount } = index;
  const rows = useMemo(
    () => new RowMap(rowCount, hiddenRanges(index.sections, folding, rowCount)),
    [index, rowCount, folding],
  );
  const toggle = useCallback(
    (headerRow: number) =>
      setFolding((before) => {
        const section = index.sectionAt(headerRow);
        return section === undefined ? before : new Map(before).set(headerRow, !isFolded(section, before));
      }),
    [index],
  );
  const colours = { backgroundColor: css(traceColours.background), color: css(traceColours.text) };
  return (
    <div className="trace" style={colours}>
      {index.rowCount === 0 ? (
        <NoOutput reader={reader} kind={kind} run={run} />
      ) : (
        <TraceRows
          index={index}
          rows={rows}
          folding={folding}
          onToggle={toggle}
          isPlain={kind === 'console'}
          showsTimes={showsTimes && index.hasTimes}
          isFollowing={isFollowing}
          onFollow={onFollow}
          label={`${kind === 'trace' ? 'Trace' : 'Console'} of ${run.job.name}`}
        />
      )}
      {status.kind === 'failed' && index.rowCount > 0 && <ErrorNote error={status.error} />}
      <TraceFoot reader={reader} isFollowing={isFollowing && run.phase !== 'finished'} />
    </div>
  );
}

function NoOutput({ reader, kind, run }: Pick<TraceViewProps, 'reader' | 'kind' | 'run'>) {
  const now = useNow();
  const { status } = reader;
  if (status.kind === 'failed') {
    return (
      <div className="trace-empty">
        <ErrorNote error={status.error} />
        <button type="button" className="button" onClick={() => void reader.readMore()}>
          Try again
        </button>
      </div>
    );
  }
  if (status.kind === 'reading') return <p className="trace-empty">Reading</p>;
  return (
    <p className="trace-empty">
      {kind === 'trace' ? noOutputSentence(run, now) : 'Nothing on the console yet: the machine has not written to it.'}
    </p>
  );
}

function TraceFoot({ reader, isFollowing }: Pick<TraceViewProps, 'reader' | 'isFollowing'>) {
  const { index, status } = reader;
  const haveBytes = index.bytes.sizeBytes;
  const words = [`${formatCount(index.rowCount)} ${index.rowCount === 1 ? 'line' : 'lines'}`, formatBytes(haveBytes)];
  if (status.kind === 'reading') words.push(`reading, ${Math.floor((haveBytes / status.sizeBytes) * 100)} %`);
  if (status.kind === 'full') words.push(`only the first ${formatBytes(heldLimitBytes)} are shown`);
  if (isFollowing) words.push('following');
  return <p className="trace-foot small">{words.join(' · ')}</p>;
}
