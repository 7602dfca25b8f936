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

type Taking = 'no' | 'working' | 'copied' | { failed: unknown };

/** How long the button says that it has copied, in milliseconds. */
const thanksMs = 2_000;

export function TraceToolbar(props: TraceToolbarProps) {
  const { reader, kind, run, isFollowing, onFollow, showsTimes, onShowTimes } = props;
  const [taking, setTaking] = useState<Taking>('no');
  const isEmpty = reader.index.bytes.sizeBytes === 0;

  useEffect(() => {
    if (taking !== 'copied') return;
    const timer = setTimeout(() => setTaking('no'), thanksMs);
    return () => clearTimeout(timer);
  }, [taking]);

  async function take(how: () => Promise<void>, then: Taking) {
    setTaking('working');
    try {
      await how();
      setTaking(then);
    } catch (failed) {
      setTaking({ failed });
    }
  }

  async function copy() {
    await reader.readMore();
    await copyText(await wholeText(reader.index, nextTask));
  }

  async function download() {
    saveFile(await wholeFile(reader), traceFileName(run.job.name, run.job.id, kind));
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
        disabled={isEmpty || taking === 'working'}
        onClick={() => void take(copy, 'copied')}
      >
        {taking === 'copied' ? <Check size={14} aria-hidden="true" /> : <Copy size={14} aria-hidden="true" />}
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label={`Download the whole ${kind}`}
        title={`Download the whole ${kind}`}
        disabled={isEmpty || taking === 'working'}
        onClick={() => void take(download, 'no')}
      >
        <Download size={14} aria-hidden="true" />
      </button>
      <span className="visually-hidden" role="status">
        {taking === 'copied' && 'Copied'}
      </span>
      {typeof taking === 'object' && <ErrorNote error={toWireError(taking.failed)} />}
    </div>
  );
}

/** Lets the window draw and answer before more is done. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
