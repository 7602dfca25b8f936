import { connect, type Socket } from 'node:net';
import type { PlatformDeps } from '../platform/deps.ts';
import type { WritableFile } from '../platform/files.ts';

/** A console log keeps this much of its beginning and, once the machine has ended, of its end. */
export const consoleLimitBytes = 16 * 1024 * 1024;
const tailLimitBytes = 64 * 1024;

type RecorderDeps = Pick<PlatformDeps, 'files' | 'log'>;

/**
 * Writes a machine's serial console to its log. It goes on reading whatever becomes of the log, because a console that
 * is connected and not read slows its guest to a crawl. While nobody is connected, QEMU drops what the guest prints.
 */
export class ConsoleRecorder implements AsyncDisposable {
  /** Resolves when all is written that there will be: the machine has ended, or we have hung up. */
  readonly ended: Promise<void>;
  readonly #deps: RecorderDeps;
  readonly #socket: Socket;
  readonly #file: WritableFile;
  readonly #limitBytes: number;
  #atByte: number;
  #omittedBytes = 0;
  #isWriting = true;
  #tail: Uint8Array = new Uint8Array();

  private constructor(deps: RecorderDeps, socket: Socket, file: WritableFile, atByte: number, limitBytes: number) {
    this.#deps = deps;
    this.#socket = socket;
    this.#file = file;
    this.#atByte = atByte;
    this.#limitBytes = limitBytes;
    this.ended = this.#record();
  }

  /**
   * Connects to QEMU's console socket, which must exist, and carries on a log of an earlier process of ours.
   * @throws Node's error where the socket takes no connection or the log does not open.
   */
  static async connect(
    deps: RecorderDeps,
    options: { socketPath: string; logPath: string; limitBytes?: number },
  ): Promise<ConsoleRecorder> {
    const { socketPath, logPath, limitBytes = consoleLimitBytes } = options;
    const atByte = (await deps.files.sizeBytes(logPath)) ?? 0;
    const file = await deps.files.openForWriting(logPath);
    try {
      return new ConsoleRecorder(deps, await openSocket(socketPath), file, atByte, limitBytes);
    } catch (error) {
      await file[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The newest of what the guest printed, at most 64 KiB; also what the log had no room for. */
  get tail(): Uint8Array {
    return this.#tail;
  }

  /** Hangs up; the machine is not touched. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.ended;
  }

  async #record(): Promise<void> {
    if (this.#atByte > 0) await this.#note('Forrest Bench was started again; what was printed meanwhile is missing');
    try {
      for await (const chunk of this.#socket) await this.#take(chunk as Uint8Array);
    } catch {
      // A reset, or our own destroy(): the console has ended, in one way or another.
    }
    if (this.#omittedBytes > 0) {
      const lost = Math.max(0, this.#omittedBytes - tailLimitBytes);
      await this.#note(`${lost} bytes were left out here`);
      await this.#write(this.#tail.subarray(-this.#omittedBytes));
    }
    await Promise.resolve(this.#file[Symbol.asyncDispose]()).catch((error: unknown) => {
      this.#deps.log.warn({ error }, 'console log was not closed well');
    });
  }

  async #take(chunk: Uint8Array): Promise<void> {
    this.#tail = Buffer.concat([this.#tail, chunk]).subarray(-tailLimitBytes);
    const room = this.#limitBytes - this.#atByte;
    if (room > 0) await this.#write(chunk.subarray(0, room));
    if (chunk.length > Math.max(room, 0)) {
      if (this.#omittedBytes === 0) {
        this.#deps.log.warn({ limitBytes: this.#limitBytes }, 'console log is full, keeping only its end from now on');
      }
      this.#omittedBytes += chunk.length - Math.max(room, 0);
    }
  }

  #note(text: string): Promise<void> {
    return this.#write(new TextEncoder().encode(`\r\n[${text}]\r\n`));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (!this.#isWriting || bytes.length === 0) return;
    try {
      await this.#file.write(bytes, this.#atByte);
      this.#atByte += bytes.length;
    } catch (error) {
      this.#isWriting = false;
      this.#deps.log.warn({ error }, 'console log cannot be written, going on without it');
    }
  }
}

function openSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      // From here on an error shows as the end of the console; without a listener it would end the process.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}
