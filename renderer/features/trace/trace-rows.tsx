import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown } from 'lucide-react';
import { useLayoutEffect, useRef } from 'react';
import { formatCount } from '../../ui/format.ts';
import { type Folding, isFolded, type RowMap } from './row-map.ts';
import type { TraceIndex } from './trace-index.ts';
import { TraceRow } from './trace-row.tsx';

/** Height of a row in pixels; the style sheet has the same. */
const rowHeight = 20;
/** A browser lays out no more than some 33 million pixels; of a longer trace the last lines are shown. */
const shownLimit = 1_500_000;
/** Room above the first row and below the last one, in pixels. */
const margin = 4;

interface TraceRowsProps {
  index: TraceIndex;
  rows: RowMap;
  folding: Folding;
  onToggle(headerRow: number): void;
  isPlain: boolean;
  showsTimes: boolean;
  isFollowing: boolean;
  onFollow(isFollowing: boolean): void;
  label: string;
}

/** The lines in view, and as many as are about to be. Only they are decoded. */
export function TraceRows(props: TraceRowsProps) {
  const { index, rows, folding, isFollowing, onFollow } = props;
  const scroller = useRef<HTMLElement>(null);
  const lastTop = useRef(0);
  const omitted = Math.max(0, rows.visibleCount - shownLimit);
  const count = rows.visibleCount - omitted;
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    paddingStart: margin,
    paddingEnd: margin,
  });
  const viewHeight = virtualizer.scrollRect?.height ?? 0;

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null || !isFollowing || viewHeight === 0) return;
    element.scrollTop = count * rowHeight + 2 * margin; // the browser stops at the end
    lastTop.current = element.scrollTop;
  }, [count, isFollowing, viewHeight]);

  /** Only the user scrolls up; new lines and following move down, and a fold that shortens the trace ends at its end. */
  function onScroll() {
    const element = scroller.current;
    if (element === null) return;
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < rowHeight;
    if (isFollowing && !isAtEnd && element.scrollTop < lastTop.current) onFollow(false);
    lastTop.current = element.scrollTop;
  }

  const numberWidth = String(index.rowCount).length;
  return (
    <div className="trace-frame">
      {omitted > 0 && (
        <p className="trace-omitted small">The first {formatCount(omitted)} lines are only in the download.</p>
      )}
      <section
        className="trace-scroller"
        ref={(element) => {
          scroller.current = element;
          // Reachable by the keyboard, as every region that scrolls has to be.
          if (element !== null) element.tabIndex = 0;
        }}
        onScroll={onScroll}
        aria-label={props.label}
      >
        <div className="trace-lines" style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map((item) => {
            const row = rows.rowAt(item.index + omitted);
            const section = index.sectionAt(row);
            return (
              <TraceRow
                key={row}
                index={index}
                row={row}
                toByte={index.row(row).toByte}
                top={item.start}
                numberWidth={numberWidth}
                section={section}
                sectionEnd={section?.endedAtSeconds ?? null}
                isFolded={section !== undefined && isFolded(section, folding)}
                onToggle={props.onToggle}
                isPlain={props.isPlain}
                showsTimes={props.showsTimes}
              />
            );
          })}
        </div>
      </section>
      {!isFollowing && (
        <button type="button" className="button jump-button" onClick={() => onFollow(true)}>
          <ArrowDown size={14} aria-hidden="true" />
          Jump to end
        </button>
      )}
    </div>
  );
}
