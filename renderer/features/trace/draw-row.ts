import { scanEscapes } from './escape-scanner.ts';
import { headerBytes, headerKind, headerTime } from './line-header.ts';
import { LineScreen } from './line-screen.ts';
import { findMarkers } from './section-marker.ts';
import { applySgr, type TextStyle } from './text-style.ts';
import type { TraceIndex } from './trace-index.ts';

/** A stretch of a row in one style, and the character it begins at. */
export interface Span {
  at: number;
  text: string;
  style: TextStyle;
}

/** A row as it is shown. */
export interface DrawnRow {
  /** `HH:MM:SS` in UTC; null where the runner wrote none. */
  time: string | null;
  spans: Span[];
  /** Bytes of a very long row that are not shown. */
  omittedBytes: number;
}

/** No more of one row is drawn than this. */
const rowLimitBytes = 16 * 1024;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const lineFeed = 0x0a;

/** Decodes one row and takes its terminal control apart, as a terminal would have shown it in the end. */
export function drawRow(index: TraceIndex, row: number): DrawnRow {
  const { fromByte, toByte, style } = index.row(row);
  const bytes = index.bytes.slice(fromByte, Math.min(toByte, fromByte + rowLimitBytes));
  const isLineStart = fromByte === 0 || index.bytes.at(fromByte - 1) === lineFeed;
  const first = isLineStart ? headerKind(bytes) : 'none';
  const hasHeader = first === 'header' || first === 'continued';
  const pen = new Pen(bytes, style);
  let from = hasHeader ? headerBytes : 0;
  for (;;) {
    const feed = bytes.indexOf(lineFeed, from);
    pen.draw(from, feed < 0 ? bytes.length : feed);
    if (feed < 0 || headerKind(bytes.subarray(feed + 1)) !== 'continued') break;
    from = feed + 1 + headerBytes;
  }
  return {
    time: hasHeader ? headerTime(bytes) : null,
    spans: placed(pen.screen.spans()),
    omittedBytes: Math.max(0, toByte - fromByte - rowLimitBytes),
  };
}

function placed(pieces: readonly { text: string; style: TextStyle }[]): Span[] {
  let at = 0;
  return pieces.map((piece) => {
    const span = { at, ...piece };
    at += piece.text.length;
    return span;
  });
}

/** What one can read of a row, without its colours. */
export function rowText(index: TraceIndex, row: number): string {
  return drawRow(index, row)
    .spans.map((span) => span.text)
    .join('');
}

/** Draws bytes onto the screen of one line. */
class Pen {
  readonly screen = new LineScreen();
  readonly #bytes: Uint8Array;
  #style: TextStyle;

  constructor(bytes: Uint8Array, style: TextStyle) {
    this.#bytes = bytes;
    this.#style = style;
  }

  draw(from: number, to: number): void {
    let at = from;
    for (const marker of findMarkers(this.#bytes.subarray(0, to), from)) {
      scanEscapes(this.#bytes, at, marker.from, this);
      at = marker.to;
    }
    scanEscapes(this.#bytes, at, to, this);
  }

  text(from: number, to: number): void {
    const text = decoder.decode(this.#bytes.subarray(from, to)).replace(invisible, '');
    if (text !== '') this.screen.write(text, this.#style);
  }

  control(code: number): void {
    if (code === 0x0d) this.screen.carriageReturn();
    else if (code === 0x08) this.screen.backspace();
  }

  sequence(final: number, parameters: string): void {
    const count = Number.parseInt(parameters, 10);
    const letter = String.fromCharCode(final);
    // What moves between lines has no place in a trace and is dropped.
    if (letter === 'm') this.#style = applySgr(this.#style, parameters);
    else if (letter === 'K') this.screen.erase(count || 0);
    else if (letter === 'G') this.screen.moveTo((count || 1) - 1);
    else if (letter === 'C') this.screen.move(count || 1);
    else if (letter === 'D') this.screen.move(-(count || 1));
  }
}

// The second set of control characters, and what turns the direction of text around: a trace shows what stands in it.
const invisible = /[\u0080-\u009f\u202a-\u202e\u2066-\u2069]/g;
