import { ArrowDownToLine, Check, Clock, Copy, Download } from 'lucide-react';
import { useEffect, useState } from 'react';
import { toWireError } from '../../../electron/contract/errors.ts';
import type { RunView } from '../../../electron/contract/state.ts';
import { ErrorNote } from '../../ui/error-note.tsx';
import { copyText, saveFile } from '../../ui/take-away.ts';
import type { TraceKind } from './bench-source.ts';
import type { TraceReader } from './trace-reader.ts';
import { traceFileName, wholeFile, wholeText } from './whole-trace.ts';

interface TraceToolbarProps {
  reader: TraceReader;
  kind: TraceKind;
  run: RunView;
  isFollowing: boolean;
  onFollow(isFollowing: boolean): void;
  showsTimes: boolean;
  onShowTimes(showsTimes: boolean): void;
}

type Copying = 'no' | 'working' | 'done' | { failed: unknown };

/** How long the button says that it has copied, in milliseconds. */
const thanksMs = 2_000;

export function TraceToolbar(props: TraceToolbarProps) {
  const { reader, kind, run, isFollowing, onFollow, showsTimes, onShowTimes } = props;
  const [copying, setCopying] = useState<Copying>('no');
  const isEmpty = reader.index.bytes.sizeBytes === 0;

  useEffect(() => {
    if (copying !== 'done') return;
    const timer = setTimeout(() => setCopying('no'), thanksMs);
    return () => clearTimeout(timer);
  }, [copying]);

  async function copy() {
    setCopying('working');
    try {
      await reader.readMore();
      await copyText(await wholeText(reader.index, nextTask));
      setCopying('done');
    } catch (failed) {
      setCopying({ failed });
    }
  }

  async function download() {
    await reader.readMore();
    saveFile(wholeFile(reader.index), traceFileName(run.job.name, run.job.id, kind));
  }

  return (
    <div className="toolbar">
      {reader.index.hasTimes && kind === 'trace' && (
        <button
          type="button"
          className="button button-quiet"
          aria-pressed={showsTimes}
          title="Times of the machine's clock, UTC"
          onClick={() => onShowTimes(!showsTimes)}
        >
          <Clock size={14} aria-hidden="true" />
          <span className="button-word">Times</span>
        </button>
      )}
      <button
        type="button"
        className="button button-quiet"
        aria-pressed={isFollowing}
        aria-keyshortcuts="f"
        onClick={() => onFollow(!isFollowing)}
      >
        <ArrowDownToLine size={14} aria-hidden="true" />
        <span className="button-word">Follow</span>
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label={`Copy the whole ${kind} as text`}
        title={`Copy the whole ${kind} as text`}
        disabled={isEmpty || copying === 'working'}
        onClick={() => void copy()}
      >
        {copying === 'done' ? <Check size={14} aria-hidden="true" /> : <Copy size={14} aria-hidden="true" />}
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label={`Download the whole ${kind}`}
        title={`Download the whole ${kind}`}
        disabled={isEmpty}
        onClick={() => void download()}
      >
        <Download size={14} aria-hidden="true" />
      </button>
      <span className="visually-hidden" role="status">
        {copying === 'done' && 'Copied'}
      </span>
      {typeof copying === 'object' && <ErrorNote error={toWireError(copying.failed)} />}
    </div>
  );
}

/** Lets the window draw and answer before more is done. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
