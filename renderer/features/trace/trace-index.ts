import { ByteStore } from './byte-store.ts';
import { type EscapeSink, scanEscapes } from './escape-scanner.ts';
import { headerBytes, headerKind } from './line-header.ts';
import { findMarkers, mayBecomeMarker, type SectionMarker } from './section-marker.ts';
import { StyleTable, type TextStyle } from './text-style.ts';

/** A part of a trace that can be folded: its first row stays, the others hide. */
export interface Section {
  readonly name: string;
  /** The row that carries the title. */
  readonly headerRow: number;
  /** The row after the last one; null while the section is open. */
  readonly endRow: number | null;
  readonly startedAtSeconds: number;
  readonly endedAtSeconds: number | null;
  /** Whether the job asked that it be shown folded. */
  readonly isCollapsed: boolean;
  readonly depth: number;
}

/** Where a row's bytes are, and the style that earlier rows left to it. */
export interface Row {
  fromByte: number;
  toByte: number;
  style: TextStyle;
}

interface RowStart {
  fromByte: number;
  styleId: number;
}
type OpenSection = { -readonly [K in keyof Section]: Section[K] };

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const escapeCode = 0x1b;
const finalOfSgr = 0x6d;
/** More sections than this are text like any other. */
const sectionLimit = 20_000;
/** As much of an unfinished line is looked at to decide whether it is a row yet. */
const tailProbeBytes = 64 * 1024;

/**
 * Where each row of a growing trace begins, with which style, and which sections there are. Bytes stay bytes: a row
 * is decoded when it is drawn. How the bytes were cut into chunks leaves no mark: an index depends on the bytes alone.
 *
 * A row is what GitLab shows as a line: a line of the trace, with the lines that continue it joined; section markers
 * end a row and have none of their own.
 */
export class TraceIndex {
  readonly bytes = new ByteStore();
  readonly #styles = new StyleTable();
  #starts = new Uint32Array(1024);
  #startStyleIds = new Uint16Array(1024);
  #rowCount = 0;
  #tail: RowStart | null = null;
  readonly #sectionsByHeaderRow = new Map<number, OpenSection>();
  #openSections: OpenSection[] = [];
  #hasTimes = false;

  /** Where the line begins that is not complete yet, and how far it was searched for its end. */
  #lineFrom = 0;
  #scannedTo = 0;
  #hasEscape = false;
  #hasReturn = false;
  #styleId = 0;
  /** A row that begins here as soon as something visible comes. */
  #pending: RowStart | null = null;

  get rowCount(): number {
    return this.#rowCount + (this.#tail === null ? 0 : 1);
  }

  /** Whether the runner wrote the time before each line. */
  get hasTimes(): boolean {
    return this.#hasTimes;
  }

  /** Sections in the order of their header rows. */
  get sections(): Iterable<Section> {
    return this.#sectionsByHeaderRow.values();
  }

  /** The section whose title a row is. */
  sectionAt(row: number): Section | undefined {
    return this.#sectionsByHeaderRow.get(row);
  }

  row(row: number): Row {
    const start = this.#start(row);
    const end = row + 1 < this.rowCount ? this.#start(row + 1).fromByte : this.bytes.sizeBytes;
    return { fromByte: start.fromByte, toByte: end, style: this.#styles.style(start.styleId) };
  }

  /** Takes the next bytes of the trace in. Costs about one millisecond for 512 KiB of plain text. */
  append(chunk: Uint8Array): void {
    this.bytes.append(chunk);
    for (const part of this.bytes.parts(this.#scannedTo)) this.#scan(part);
    this.#tail = this.#tailRow();
  }

  #start(row: number): RowStart {
    if (row >= this.#rowCount && this.#tail !== null) return this.#tail;
    return { fromByte: this.#starts[row] ?? 0, styleId: this.#startStyleIds[row] ?? 0 };
  }

  #scan(part: Uint8Array): void {
    const base = this.#scannedTo;
    for (let at = 0; at < part.length; at += 1) {
      const code = part[at] ?? 0;
      if (code > escapeCode) continue;
      if (code === lineFeed) this.#endLine(base + at);
      else if (code === escapeCode) this.#hasEscape = true;
      else if (code === carriageReturn) this.#hasReturn = true;
    }
    this.#scannedTo = base + part.length;
  }

  #endLine(to: number): void {
    this.#takeLine(this.#lineFrom, to);
    this.#lineFrom = to + 1;
    this.#hasEscape = false;
    this.#hasReturn = false;
  }

  #takeLine(from: number, to: number): void {
    // The "Z" of a time is looked for first, because a whole header is rare in traces that have none.
    const kind =
      this.bytes.at(from + 26) === 0x5a ? headerKind(this.bytes.slice(from, Math.min(to, from + 32))) : 'none';
    const hasHeader = kind === 'header' || kind === 'continued';
    const isContinued = kind === 'continued' && from > 0;
    if (hasHeader) this.#hasTimes = true;
    if (!isContinued) this.#pending = { fromByte: from, styleId: this.#styleId };
    const bodyFrom = hasHeader ? headerBytes : 0;
    if (!this.#hasEscape && !this.#hasReturn) {
      if (!isContinued || to - from > bodyFrom) this.#beginPendingRow();
      return;
    }
    const line = this.bytes.slice(from, to);
    const markers = this.#hasReturn ? findMarkers(line, bodyFrom) : [];
    let at = bodyFrom;
    for (const marker of markers) {
      if (this.#walk(line, at, marker.from)) this.#beginPendingRow();
      this.#pending ??= { fromByte: from + marker.from, styleId: this.#styleId };
      if (marker.kind === 'start') this.#openSection(marker);
      else this.#closeSection(marker);
      at = marker.to;
    }
    const isVisible = this.#walk(line, at, line.length);
    if (isVisible || (markers.length === 0 && !isContinued)) this.#beginPendingRow();
  }

  /** Follows the styles of a stretch of a line. @returns Whether any of it can be seen. */
  #walk(line: Uint8Array, from: number, to: number): boolean {
    const walk = new Walk(this.#styles, this.#styleId);
    scanEscapes(line, from, to, walk);
    this.#styleId = walk.styleId;
    return walk.isVisible;
  }

  #beginPendingRow(): void {
    if (this.#pending === null) return;
    if (this.#rowCount === this.#starts.length) {
      this.#starts = grown(this.#starts, new Uint32Array(this.#rowCount * 2));
      this.#startStyleIds = grown(this.#startStyleIds, new Uint16Array(this.#rowCount * 2));
    }
    this.#starts[this.#rowCount] = this.#pending.fromByte;
    this.#startStyleIds[this.#rowCount] = this.#pending.styleId;
    this.#rowCount += 1;
    this.#pending = null;
  }

  #openSection({ name, atSeconds, isCollapsed }: SectionMarker): void {
    const section: OpenSection = {
      name,
      headerRow: this.#rowCount,
      endRow: null,
      startedAtSeconds: atSeconds,
      endedAtSeconds: null,
      isCollapsed,
      depth: this.#openSections.length,
    };
    if (this.#openSections.length >= sectionLimit) return;
    this.#openSections.push(section);
    // Of sections that begin in the same row only the outermost can be folded there.
    if (this.#sectionsByHeaderRow.size < sectionLimit && !this.#sectionsByHeaderRow.has(section.headerRow)) {
      this.#sectionsByHeaderRow.set(section.headerRow, section);
    }
  }

  /** Ends a section and those that were left open inside it. An end without a beginning means nothing. */
  #closeSection({ name, atSeconds }: SectionMarker): void {
    const from = this.#openSections.findLastIndex((section) => section.name === name);
    if (from < 0) return;
    for (const section of this.#openSections.splice(from)) {
      section.endRow = this.#rowCount;
      section.endedAtSeconds = atSeconds;
      // A section without a row has no title either: the row that comes next is not its own.
      const isEmpty = section.headerRow >= this.#rowCount;
      if (isEmpty && this.#sectionsByHeaderRow.get(section.headerRow) === section) {
        this.#sectionsByHeaderRow.delete(section.headerRow);
      }
    }
  }

  /** What the unfinished last line adds: a row of its own, or nothing. Depends on nothing but the bytes so far. */
  #tailRow(): RowStart | null {
    const line = this.bytes.slice(this.#lineFrom, Math.min(this.bytes.sizeBytes, this.#lineFrom + tailProbeBytes));
    const kind = headerKind(line);
    if (line.length === 0 || kind === 'partial') return null;
    const bodyFrom = kind === 'none' ? 0 : headerBytes;
    if (mayBecomeMarker(line.subarray(bodyFrom))) return null;
    const walk = new Walk(this.#styles, this.#styleId);
    let at = bodyFrom;
    for (const marker of findMarkers(line, bodyFrom)) {
      scanEscapes(line, at, marker.from, walk);
      at = marker.to;
    }
    scanEscapes(line, at, line.length, walk);
    if (!walk.isVisible) return null;
    return kind === 'continued' && this.#lineFrom > 0
      ? this.#pending
      : { fromByte: this.#lineFrom, styleId: this.#styleId };
  }
}

/** Notes the style that a stretch of text leaves, and whether there is anything to see in it. */
class Walk implements EscapeSink {
  isVisible = false;
  styleId: number;
  readonly #styles: StyleTable;

  constructor(styles: StyleTable, styleId: number) {
    this.#styles = styles;
    this.styleId = styleId;
  }

  text(): void {
    this.isVisible = true;
  }

  control(): void {}

  sequence(final: number, parameters: string): void {
    if (final === finalOfSgr) this.styleId = this.#styles.after(this.styleId, parameters);
  }
}

function grown<T extends Uint32Array | Uint16Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
