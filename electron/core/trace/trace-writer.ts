import { errorCode, type WritableFile } from '../platform/files.ts';
import { addGap, type Gap } from './gaps.ts';
import { TraceError } from './trace-error.ts';

/** What a writer is given by the store that opens it. */
export interface TraceFile {
  file: WritableFile;
  sizeBytes: number;
  gaps: readonly Gap[];
  /** Writes the list of gaps beside the trace. */
  saveGaps(gaps: readonly Gap[]): Promise<void>;
  onClose(): void;
}

/**
 * The local copy of one job's trace. It holds what GitLab acknowledged, at the offset GitLab acknowledged it, and
 * nothing else; calls are carried out one after the other.
 */
export class TraceWriter implements AsyncDisposable {
  readonly #file: TraceFile;
  readonly #listeners = new Set<(sizeBytes: number) => void>();
  #sizeBytes: number;
  #gaps: readonly Gap[];
  #areGapsSaved = true;
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(file: TraceFile) {
    this.#file = file;
    this.#sizeBytes = file.sizeBytes;
    this.#gaps = file.gaps;
  }

  /** Bytes GitLab has acknowledged as far as we know; the next ones belong here. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** What is missing below `sizeBytes`, in order. */
  get gaps(): readonly Gap[] {
    return this.#gaps;
  }

  /** Calls back with the new size after each growth. */
  onGrow(listener: (sizeBytes: number) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /**
   * Keeps bytes that GitLab has acknowledged.
   * @param fromByte Offset of `bytes[0]` in the whole trace. What overlaps the bytes held is not written again; what
   * leaves a hole is kept at its offset, and the hole is recorded.
   * @throws TraceError `trace/no-space`, `trace/write-failed`; nothing has changed then, and the caller goes on.
   */
  acknowledge(fromByte: number, bytes: Uint8Array): Promise<void> {
    const done = this.#last.then(() => this.#write(fromByte, bytes));
    this.#last = done.catch(() => {});
    return done;
  }

  /** Waits for what is being written. The file stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#last;
    this.#listeners.clear();
    this.#file.onClose();
    await this.#file.file[Symbol.asyncDispose]();
  }

  async #write(fromByte: number, bytes: Uint8Array): Promise<void> {
    const sizeBytes = fromByte + bytes.length;
    if (sizeBytes <= this.#sizeBytes || bytes.length === 0) return;
    const heldBytes = Math.max(0, this.#sizeBytes - fromByte);
    try {
      await this.#file.file.write(bytes.subarray(heldBytes), fromByte + heldBytes);
      if (fromByte > this.#sizeBytes) {
        this.#gaps = addGap(this.#gaps, { fromByte: this.#sizeBytes, toByte: fromByte });
        this.#areGapsSaved = false;
      }
      this.#sizeBytes = sizeBytes;
      if (!this.#areGapsSaved) {
        await this.#file.saveGaps(this.#gaps);
        this.#areGapsSaved = true;
      }
    } catch (cause) {
      throw asTraceError(cause);
    } finally {
      if (this.#sizeBytes === sizeBytes) for (const listener of this.#listeners) listener(sizeBytes);
    }
  }
}

function asTraceError(cause: unknown): TraceError {
  const code = errorCode(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new TraceError('trace/no-space', 'The disk is full: the live view of this trace is no longer complete.', {
      remedy: 'Free some disk space. The job goes on, and GitLab has its whole trace.',
      cause,
    });
  }
  return new TraceError('trace/write-failed', `The trace file cannot be written (${code ?? 'unknown error'}).`, {
    remedy: 'Check the folder of traces. The job goes on, and GitLab has its whole trace.',
    cause,
  });
}
