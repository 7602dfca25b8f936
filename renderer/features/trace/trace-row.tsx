import { ChevronRight } from 'lucide-react';
import { memo } from 'react';
import { formatBytes, formatCount, formatDuration } from '../../ui/format.ts';
import { drawRow } from './draw-row.ts';
import { lookOf } from './palette.ts';
import type { Section, TraceIndex } from './trace-index.ts';

interface TraceRowProps {
  index: TraceIndex;
  row: number;
  /** Where the row's bytes end now: another value means that the last row has grown. */
  toByte: number;
  /** Where the row stands, in pixels. */
  top: number;
  /** Digits of the longest line number. */
  numberWidth: number;
  section: Section | undefined;
  /** As in `section`, which changes in place: tells a row that it is to be drawn anew. */
  sectionEnd: number | null;
  isFolded: boolean;
  onToggle(headerRow: number): void;
  isPlain: boolean;
  showsTimes: boolean;
}

/** One line of a trace. What a job printed is only ever text here. */
export const TraceRow = memo(function TraceRow(props: TraceRowProps) {
  const { index, row, section, isFolded, isPlain } = props;
  const { time, spans, omittedBytes } = drawRow(index, row);
  return (
    <div
      className={section === undefined ? 'trace-row' : 'trace-row trace-row-section'}
      style={{ transform: `translateY(${props.top}px)` }}
    >
      <span className="trace-number" style={{ width: `${props.numberWidth + 1}ch` }}>
        {row + 1}
      </span>
      {props.showsTimes && <span className="trace-time">{time ?? ''}</span>}
      {section === undefined ? (
        <span className="trace-fold" />
      ) : (
        <button
          type="button"
          className="trace-fold"
          aria-expanded={!isFolded}
          aria-label={`Section ${section.name}`}
          onClick={() => props.onToggle(row)}
        >
          <ChevronRight size={14} aria-hidden="true" />
        </button>
      )}
      <span className="trace-text">
        {spans.map((span) => (
          <span key={span.at} style={isPlain ? undefined : lookOf(span.style)}>
            {span.text}
          </span>
        ))}
        {omittedBytes > 0 && (
          <span className="trace-note"> {formatBytes(omittedBytes)} more of this line are in the download</span>
        )}
      </span>
      {section !== undefined && <span className="trace-note">{sectionNote(section, isFolded)}</span>}
    </div>
  );
});

/** How much is folded away, and how long the section took. */
function sectionNote({ headerRow, endRow, startedAtSeconds, endedAtSeconds }: Section, isFolded: boolean): string {
  const words: string[] = [];
  const hiddenCount = (endRow ?? headerRow) - headerRow - 1;
  if (isFolded && hiddenCount > 0) words.push(`${formatCount(hiddenCount)} ${hiddenCount === 1 ? 'line' : 'lines'}`);
  if (endedAtSeconds !== null) words.push(formatDuration((endedAtSeconds - startedAtSeconds) * 1_000));
  return words.join(' · ');
}
