import { plainStyle, type TextStyle } from './text-style.ts';

/** A stretch of text in one style; in a line of cells, one character with its marks. Data, never markup. */
interface Piece {
  text: string;
  style: TextStyle;
}

/** A cursor goes no further right than this, whatever a job asks for. */
const columnLimit = 4_096;
const tabWidth = 8;

/**
 * One line of a terminal: text in styles, with a cursor that carriage returns, backspaces and cursor movements move.
 * Text that is only ever added at the end stays in spans; cells are made when something is overwritten.
 */
export class LineScreen {
  readonly #spans: Piece[] = [];
  #cells: Piece[] | null = null;
  #column = 0;
  #isReturned = false;

  write(text: string, style: TextStyle): void {
    if (this.#isReturned) this.#toCells(0);
    if (this.#cells === null) this.#append({ text, style });
    else this.#overwrite(this.#cells, text, style);
  }

  /** Moves to the first column. What is there stays until something is written over it. */
  carriageReturn(): void {
    if (this.#cells !== null) this.#column = 0;
    else if (this.#spans.length > 0) this.#isReturned = true;
  }

  backspace(): void {
    this.move(-1);
  }

  /** Moves by columns, left if negative. */
  move(columns: number): void {
    const cells = this.#toCells();
    this.#column = clampColumn(this.#column + columns);
    while (cells.length < this.#column) cells.push(blank());
  }

  /** @param column Counted from 0. */
  moveTo(column: number): void {
    const cells = this.#toCells();
    this.#column = clampColumn(column);
    while (cells.length < this.#column) cells.push(blank());
  }

  /** Erases from the cursor to the end (0), from the beginning to the cursor (1), or all (2). */
  erase(mode: number): void {
    const isAtStart = this.#isReturned || (this.#cells !== null && this.#column === 0);
    if (mode === 2 || (mode === 0 && isAtStart)) {
      // What is left to the right of the text is blank anyway; only what is written next has to stand right.
      const column = this.#isReturned ? 0 : this.#columnNow();
      this.#spans.length = 0;
      this.#isReturned = false;
      this.#cells = null;
      this.#column = 0;
      if (column > 0) this.moveTo(column);
      return;
    }
    if (mode === 0) {
      if (this.#cells !== null) this.#cells.length = Math.min(this.#cells.length, this.#column);
      return;
    }
    const cells = this.#toCells();
    for (let at = 0; at <= this.#column && at < cells.length; at += 1) cells[at] = blank();
  }

  spans(): Piece[] {
    if (this.#cells === null) return this.#spans;
    const spans: Piece[] = [];
    for (const { text, style } of this.#cells) {
      const last = spans.at(-1);
      if (last?.style === style) last.text += text;
      else spans.push({ text, style });
    }
    return spans;
  }

  #append(span: Piece): void {
    const last = this.#spans.at(-1);
    if (last?.style === span.style) last.text += span.text;
    else this.#spans.push(span);
  }

  #columnNow(): number {
    if (this.#cells !== null) return this.#column;
    return this.#toCells().length;
  }

  /** @param column Where the cursor stands then; behind the text when left out. */
  #toCells(column?: number): Piece[] {
    if (this.#cells === null) {
      const cells: Piece[] = [];
      this.#cells = cells;
      this.#column = 0;
      for (const { text, style } of this.#spans) this.#overwrite(cells, text, style);
      this.#spans.length = 0;
      if (this.#isReturned) this.#column = 0;
      this.#isReturned = false;
    }
    if (column !== undefined) this.#column = column;
    return this.#cells;
  }

  #overwrite(cells: Piece[], text: string, style: TextStyle): void {
    for (const character of text) {
      const before = cells[this.#column - 1];
      if (character === '\t') {
        const next = (Math.floor(this.#column / tabWidth) + 1) * tabWidth;
        while (this.#column < Math.min(next, columnLimit)) {
          cells[this.#column] ??= { text: ' ', style };
          this.#column += 1;
        }
      } else if (before !== undefined && combining.test(character)) before.text += character;
      else if (this.#column < columnLimit) {
        cells[this.#column] = { text: character, style };
        this.#column += 1;
      }
    }
  }
}

const combining = /^(?:\p{M}|\u200d|\ufe0f)$/u;

function blank(): Piece {
  return { text: ' ', style: plainStyle };
}

function clampColumn(column: number): number {
  return Math.max(0, Math.min(columnLimit, column));
}
