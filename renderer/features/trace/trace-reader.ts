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

/** No more of one trace is held than this; the rest is only in the download. */
export const heldLimitBytes = 256 * 1024 * 1024;
/** While a long trace is read, it is shown anew no more often than this: drawing costs more than reading. */
const showPauseMs = 100;

/**
 * Reads a growing trace to its end, slice by slice, and indexes each as it comes: one slice is a few milliseconds of
 * work, so that the window goes on drawing in between. The next slice is under way while one is indexed.
 */
export class TraceReader implements Disposable {
  readonly #source: ByteSource;
  readonly #heldLimitBytes: number;
  readonly #monotonicMs: () => number;
  readonly #listeners = new Set<() => void>();
  #index = new TraceIndex();
  #status: ReaderStatus = { kind: 'idle' };
  #version = 0;
  #reading: Promise<void> | null = null;
  #wantsMore = false;
  #isDisposed = false;
  #shownAtMs = Number.NEGATIVE_INFINITY;

  /** `monotonicMs` is a clock that is never set back, in milliseconds. */
  constructor(source: ByteSource, options: { heldLimitBytes?: number; monotonicMs?: () => number } = {}) {
    this.#source = source;
    this.#heldLimitBytes = options.heldLimitBytes ?? heldLimitBytes;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
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
   * Reads what has come since, and resolves when it is there. Never throws: a failure is a status, and the next call
   * tries again.
   * @param expectedBytes As many are known to be there; nothing is asked for when they are held already.
   */
  async readMore(expectedBytes = Number.POSITIVE_INFINITY): Promise<void> {
    const isHeld = this.#status.kind !== 'failed' && this.#index.bytes.sizeBytes >= expectedBytes;
    if (isHeld || this.#status.kind === 'full') return;
    this.#wantsMore = true;
    this.#reading ??= this.#readWhileWanted();
    await this.#reading;
  }

  /** What lies beyond the bytes that are held, for the download. @throws BenchError as the source does */
  async rest(): Promise<Uint8Array[]> {
    const parts: Uint8Array[] = [];
    for (let at = this.#index.bytes.sizeBytes; ; ) {
      const { bytes, sizeBytes } = await this.#source.read(at);
      parts.push(bytes);
      at += bytes.length;
      if (bytes.length === 0 || at >= sizeBytes) return parts;
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#listeners.clear();
  }

  async #readWhileWanted(): Promise<void> {
    try {
      while (this.#wantsMore && !this.#isDisposed) {
        this.#wantsMore = false;
        await this.#readToEnd();
      }
    } catch (error) {
      if (!this.#isDisposed) this.#change({ kind: 'failed', error: toWireError(error) });
    } finally {
      this.#reading = null;
    }
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
      const isFull = nowBytes >= this.#heldLimitBytes;
      const isAtEnd = bytes.length === 0 || nowBytes >= sizeBytes || isFull;
      if (!isAtEnd) {
        ahead = this.#source.read(nowBytes);
        ahead.catch(() => {}); // it is awaited in the next round
      }
      if (this.#isDisposed) return;
      this.#index.append(bytes);
      this.#change(isFull ? { kind: 'full' } : isAtEnd ? { kind: 'idle' } : { kind: 'reading', sizeBytes });
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
