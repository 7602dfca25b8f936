import type { Section } from './trace-index.ts';

/** Rows in `[from, to)`. */
export interface RowRange {
  from: number;
  to: number;
}

/** Which sections the user folded or opened, by header row; the others are as the job asked. */
export type Folding = ReadonlyMap<number, boolean>;

export function isFolded(section: Section, folding: Folding): boolean {
  return folding.get(section.headerRow) ?? section.isCollapsed;
}

/** The rows that folded sections hide: in order, apart from each other. */
export function hiddenRanges(sections: Iterable<Section>, folding: Folding, rowCount: number): RowRange[] {
  const ranges: RowRange[] = [];
  for (const section of sections) {
    if (!isFolded(section, folding)) continue;
    const from = section.headerRow + 1;
    const to = Math.min(section.endRow ?? rowCount, rowCount);
    const last = ranges.at(-1);
    if (from >= to || (last !== undefined && to <= last.to)) continue;
    if (last !== undefined && from <= last.to) last.to = to;
    else ranges.push({ from, to });
  }
  return ranges;
}

/** Between rows of a trace and the lines that are shown of it. */
export class RowMap {
  readonly #hidden: readonly RowRange[];
  /** Rows hidden before each range. */
  readonly #hiddenBefore: readonly number[];
  readonly visibleCount: number;

  /** @param hidden In order, apart from each other, inside `rowCount`. */
  constructor(rowCount: number, hidden: readonly RowRange[]) {
    this.#hidden = hidden;
    let count = 0;
    this.#hiddenBefore = hidden.map(({ from, to }) => {
      const before = count;
      count += to - from;
      return before;
    });
    this.visibleCount = rowCount - count;
  }

  /** The row that is shown as the line `visible`, both from 0. */
  rowAt(visible: number): number {
    const range = this.#lastRange((hidden, before) => hidden.from - before <= visible);
    return visible + (range === null ? 0 : range.before + range.hidden.to - range.hidden.from);
  }

  /** The line that shows a row; for a hidden row the one that shows its section's title. */
  visibleAt(row: number): number {
    const range = this.#lastRange((hidden) => hidden.from <= row);
    if (range === null) return row;
    const { hidden, before } = range;
    return row < hidden.to ? hidden.from - before - 1 : row - before - (hidden.to - hidden.from);
  }

  /** The last range for which `isBefore` holds; it holds for a first part of them. */
  #lastRange(isBefore: (hidden: RowRange, before: number) => boolean): { hidden: RowRange; before: number } | null {
    let low = 0;
    let high = this.#hidden.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const hidden = this.#hidden[middle];
      if (hidden !== undefined && isBefore(hidden, this.#hiddenBefore[middle] ?? 0)) low = middle + 1;
      else high = middle;
    }
    const hidden = this.#hidden[low - 1];
    return hidden === undefined ? null : { hidden, before: this.#hiddenBefore[low - 1] ?? 0 };
  }
}
