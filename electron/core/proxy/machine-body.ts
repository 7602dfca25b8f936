import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** Why a body ended early. */
export type BodyEnd = 'too-large' | 'gone';

/**
 * The body of an upload on its way to GitLab. Between the machine's connection and undici, because undici destroys
 * what it reads from when GitLab answers early, and the connection has to live on to carry that answer.
 */
export class MachineBody extends Readable {
  readonly #request: IncomingMessage;
  readonly #limitBytes: number;
  readonly #onBytes: () => void;
  #receivedBytes = 0;
  #isWhole = false;
  #endedBy: BodyEnd | undefined;

  constructor(request: IncomingMessage, options: { limitBytes: number; onBytes: () => void }) {
    super({ highWaterMark: 256 * 1024 });
    this.#request = request;
    this.#limitBytes = options.limitBytes;
    this.#onBytes = options.onBytes;
    request.on('data', this.#onData).once('end', this.#onEnd).once('close', this.#onClose);
    // Told apart from a regular end by 'close' without 'end'.
    request.on('error', () => {});
    request.pause();
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Whether the machine has sent all of it. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** What ended it before it was whole, on the machine's side. */
  get endedBy(): BodyEnd | undefined {
    return this.#endedBy;
  }

  override _read(): void {
    this.#request.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    if (!this.#isWhole) this.#request.pause();
    callback(error);
  }

  readonly #onData = (chunk: Buffer) => {
    this.#receivedBytes += chunk.length;
    this.#onBytes();
    if (this.#receivedBytes > this.#limitBytes) this.#breakOff('too-large');
    else if (!this.push(chunk)) this.#request.pause();
  };

  readonly #onEnd = () => {
    this.#isWhole = true;
    this.#onBytes();
    this.push(null);
  };

  readonly #onClose = () => {
    if (!this.#isWhole) this.#breakOff('gone');
  };

  #breakOff(why: BodyEnd): void {
    this.#endedBy = why;
    this.destroy(new Error(`the upload broke off: ${why}`));
  }
}
