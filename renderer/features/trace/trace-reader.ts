import { toWireError, type WireError } from '../../../electron/contract/errors.ts';
import { TraceIndex } from './trace-index.ts';

/** Where bytes of a trace or a console come from, a range at a time. */
export interface ByteSource {
  /** @returns Some bytes from `fromByte` on. */
  read(fromByte: number): Promise<SourceSlice>;
}

export interface SourceSlice {
  bytes: Uint8Array;
  /** How many there are in all, now. */
  sizeBytes: number;
}

export type ReaderStatus =
  | { kind: 'idle' }
  | { kind: 'reading'; sizeBytes: number }
  | { kind: 'failed'; error: WireError }
  /** There are more bytes than a window holds. */
  | { kind: 'full' };

/** No more of one trace is held than this. */
export const heldLimitBytes = 256 * 1024 * 1024;
/** While a long trace is read, it is shown anew no more often than this: drawing costs more than reading. */
const showPauseMs = 100;

/**
 * Reads a growing trace to its end, slice by slice, and indexes each as it comes: one slice is a few milliseconds of
 * work, so that the window goes on drawing in between. The next slice is under way while one is indexed.
 */
export class TraceReader implements Disposable {
  readonly #source: ByteSource;
  readonly #monotonicMs: () => number;
  readonly #listeners = new Set<() => void>();
  #index = new TraceIndex();
  #status: ReaderStatus = { kind: 'idle' };
  #version = 0;
  #isReading = false;
  #wantsMore = false;
  #isDisposed = false;
  #shownAtMs = Number.NEGATIVE_INFINITY;

  /** @param monotonicMs A clock that is never set back, in milliseconds. */
  constructor(source: ByteSource, monotonicMs: () => number = () => performance.now()) {
    this.#source = source;
    this.#monotonicMs = monotonicMs;
  }

  /** A new one after a trace was begun anew. */
  get index(): TraceIndex {
    return this.#index;
  }

  get status(): ReaderStatus {
    return this.#status;
  }

  /** Another number after each change that is to be shown. */
  readonly version = (): number => this.#version;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /**
   * Reads what has come since. Never throws: a failure is a status, and the next call tries again.
   * @param expectedBytes As many are known to be there; nothing is asked for when they are held already.
   */
  async readMore(expectedBytes = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#status.kind === 'full' || this.#index.bytes.sizeBytes >= expectedBytes) return;
    this.#wantsMore = true;
    if (this.#isReading || this.#isDisposed) return;
    this.#isReading = true;
    try {
      while (this.#wantsMore && !this.#isDisposed) {
        this.#wantsMore = false;
        await this.#readToEnd();
      }
    } catch (error) {
      if (!this.#isDisposed) this.#change({ kind: 'failed', error: toWireError(error) });
    } finally {
      this.#isReading = false;
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#listeners.clear();
  }

  async #readToEnd(): Promise<void> {
    let ahead = this.#source.read(this.#index.bytes.sizeBytes);
    while (!this.#isDisposed) {
      const { bytes, sizeBytes } = await ahead;
      const haveBytes = this.#index.bytes.sizeBytes;
      if (sizeBytes < haveBytes) {
        // Shorter than what we hold: this is another trace under the same name.
        this.#index = new TraceIndex();
        ahead = this.#source.read(0);
        continue;
      }
      const nowBytes = haveBytes + bytes.length;
      const isAtEnd = bytes.length === 0 || nowBytes >= sizeBytes || nowBytes >= heldLimitBytes;
      if (!isAtEnd) {
        ahead = this.#source.read(nowBytes);
        ahead.catch(() => {}); // it is awaited in the next round
      }
      if (this.#isDisposed) return;
      this.#index.append(bytes);
      this.#change(statusAfter(nowBytes, sizeBytes, isAtEnd));
      if (isAtEnd) return;
    }
  }

  #change(status: ReaderStatus): void {
    this.#status = status;
    const nowMs = this.#monotonicMs();
    if (status.kind === 'reading' && nowMs - this.#shownAtMs < showPauseMs) return;
    this.#shownAtMs = nowMs;
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }
}

function statusAfter(nowBytes: number, sizeBytes: number, isAtEnd: boolean): ReaderStatus {
  if (!isAtEnd) return { kind: 'reading', sizeBytes };
  return nowBytes >= heldLimitBytes ? { kind: 'full' } : { kind: 'idle' };
}
