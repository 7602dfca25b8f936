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
  /** As in `section`, which changes in place. */
  sectionEnd: number | null;
  isFolded: boolean;
  onToggle(headerRow: number): void;
  isPlain: boolean;
  showsTimes: boolean;
}

/** One line of a trace. What a job printed is only ever text here. */
export const TraceRow = memo(function TraceRow(props: TraceRowProps) {
  const { index, row, section, sectionEnd, isFolded, isPlain } = props;
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
      {section !== undefined && (
        <span className="trace-note">
          {isFolded && section.endRow !== null && `${formatCount(section.endRow - section.headerRow - 1)} lines `}
          {sectionEnd !== null && formatDuration((sectionEnd - section.startedAtSeconds) * 1_000)}
        </span>
      )}
    </div>
  );
});
