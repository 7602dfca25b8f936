import { drawRow, rowText } from '../../../../renderer/features/trace/draw-row.ts';
import type { TextStyle } from '../../../../renderer/features/trace/text-style.ts';
import { type Section, TraceIndex } from '../../../../renderer/features/trace/trace-index.ts';

/** What a test says of an index: everything that a viewer shows of it. */
export interface Shown {
  rows: string[];
  styles: TextStyle[];
  sections: Section[];
  hasTimes: boolean;
}

export function indexOf(...chunks: (string | Uint8Array)[]): TraceIndex {
  const index = new TraceIndex();
  for (const chunk of chunks) index.append(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return index;
}

export function rowsOf(index: TraceIndex): string[] {
  return Array.from({ length: index.rowCount }, (_, row) => rowText(index, row));
}

export function shownOf(index: TraceIndex): Shown {
  return {
    rows: rowsOf(index),
    styles: Array.from({ length: index.rowCount }, (_, row) => index.row(row).style),
    sections: [...index.sections].map((section) => ({ ...section })),
    hasTimes: index.hasTimes,
  };
}

/** A row as `text` and, in parentheses, the style bits that differ from plain: quick to compare as a whole. */
export function spansOf(index: TraceIndex, row: number): [string, Partial<TextStyle>][] {
  return drawRow(index, row).spans.map(({ text, style }) => {
    const { foreground, background, attributes } = style;
    return [
      text,
      {
        ...(foreground === -1 ? {} : { foreground }),
        ...(background === -1 ? {} : { background }),
        ...(attributes === 0 ? {} : { attributes }),
      },
    ];
  });
}
