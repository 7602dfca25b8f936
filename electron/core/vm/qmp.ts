import { connect, type Socket } from 'node:net';
import type { PlatformDeps } from '../platform/deps.ts';
import { errorCode } from '../platform/files.ts';
import { greetingSchema, parseQmpMessage, type QmpAnswer, type QmpEvent } from './qmp-messages.ts';
import { VmError } from './vm-error.ts';

/** The longest line QEMU may send. Its greeting and our answers are under 1 KiB. */
const lineLimitBytes = 1024 * 1024;
const unheardLimit = 100;
/** How often a socket that is not there yet is tried again. QEMU has it about 60 ms after its start. */
const retryMs = 10;

interface Waiting {
  command: string;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * The control connection to one QEMU: line JSON, one answer a command, events in between. QEMU serves one client a
 * socket, so there is one of these a machine.
 */
export class Qmp implements AsyncDisposable {
  /** QEMU's version, from its greeting. */
  readonly version: string;
  /** Resolves when the connection has ended, whoever ended it and why; events before that have been delivered. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #waitingById = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  /** Events that came before anybody listened; they go to the first who does. */
  readonly #unheard: QmpEvent[] = [];
  #lastId = 0;
  #failure: VmError | undefined;

  private constructor(socket: Socket, lines: AsyncGenerator<string, void>, version: string) {
    this.#socket = socket;
    this.version = version;
    this.closed = this.#read(lines);
  }

  /**
   * Connects as soon as QEMU has made its socket, and agrees on capabilities.
   * @param signal Ends the waiting; then rejects with its reason.
   * @throws VmError `vm/qmp-unreachable` where the socket cannot be used, `vm/qmp-protocol` where something else
   * than QEMU answers there, `vm/qmp-closed` where it hangs up.
   */
  static async connect(deps: Pick<PlatformDeps, 'clock'>, path: string, signal: AbortSignal): Promise<Qmp> {
    const socket = await openSocket(deps, path, signal);
    const giveUp = () => socket.destroy();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      const lines = readLines(socket);
      const first = await lines.next();
      if (first.done === true) throw closedError('before its greeting');
      const { major, minor, micro } = parseGreeting(first.value);
      const qmp = new Qmp(socket, lines, `${major}.${minor}.${micro}`);
      await qmp.execute('qmp_capabilities');
      return qmp;
    } catch (error) {
      socket.destroy();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /**
   * Runs a command.
   * @returns What QEMU answered; to be parsed by whoever uses it.
   * @param signal Ends the waiting, not the command: QEMU has no way to take one back.
   * @throws VmError `vm/qmp-refused` where QEMU answers with an error, `vm/qmp-closed` where the connection ends first.
   */
  async execute(command: string, args?: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<unknown> {
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#waitingById.set(id, { command, resolve, reject });
    });
    const giveUp = () => this.#waitingById.get(id)?.reject(signal?.reason);
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      this.#socket.write(`${JSON.stringify({ execute: command, ...(args && { arguments: args }), id })}\n`);
      return await answered;
    } finally {
      signal?.removeEventListener('abort', giveUp);
      this.#waitingById.delete(id);
    }
  }

  /** Calls `onEvent` for every event that we know. It must not throw. */
  listen(onEvent: (event: QmpEvent) => void): Disposable {
    this.#listeners.add(onEvent);
    for (const event of this.#unheard.splice(0)) onEvent(event);
    return { [Symbol.dispose]: () => this.#listeners.delete(onEvent) };
  }

  /** Hangs up; the machine is not touched. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }

  async #read(lines: AsyncGenerator<string, void>): Promise<void> {
    try {
      for await (const line of lines) this.#take(line);
      this.#failure = closedError('and ended the connection');
    } catch (error) {
      this.#failure = error instanceof VmError ? error : protocolError('it does not follow the protocol', error);
    }
    this.#socket.destroy();
    for (const waiting of this.#waitingById.values()) waiting.reject(this.#failure);
  }

  #take(line: string): void {
    const message = parseQmpMessage(line);
    switch (message.kind) {
      case 'event':
        if (this.#listeners.size === 0 && this.#unheard.length < unheardLimit) this.#unheard.push(message.event);
        for (const listener of [...this.#listeners]) listener(message.event);
        break;
      case 'answer':
        this.#settle(message.answer);
        break;
      case 'other':
        break;
    }
  }

  #settle(answer: QmpAnswer): void {
    // An error without an id is about a line that QEMU could not read: ours are well-formed, so it is nobody's answer.
    const waiting = answer.id === undefined ? undefined : this.#waitingById.get(answer.id);
    if (waiting === undefined) return;
    if (!('error' in answer)) {
      waiting.resolve(answer.return);
      return;
    }
    const words = `${answer.error.class}: ${answer.error.desc.slice(0, 500)}`;
    waiting.reject(
      new VmError('vm/qmp-refused', `QEMU refused ${waiting.command} (${words})`, {
        remedy: 'Look into the QEMU log of this run; an upgrade of QEMU may help.',
      }),
    );
  }
}

/** Waits until the socket is there and takes connections. */
async function openSocket(deps: Pick<PlatformDeps, 'clock'>, path: string, signal: AbortSignal): Promise<Socket> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await openOnce(path);
    } catch (cause) {
      // Not made yet; or made and not yet listening; or left behind by a QEMU that is gone, until ours replaces it.
      const code = errorCode(cause);
      if (code !== 'ENOENT' && code !== 'ECONNREFUSED' && code !== 'EAGAIN') {
        throw new VmError('vm/qmp-unreachable', `QEMU's control socket cannot be used: ${code ?? 'unknown error'}`, {
          remedy: 'See that the folder of sockets is yours and that its disk works.',
          cause,
        });
      }
    }
    await deps.clock.sleep(retryMs, signal);
  }
}

function openOnce(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      // From here on an error shows as the end of the lines; without a listener it would end the process.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

/** Lines of UTF-8; ends with the connection, however it ends. */
async function* readLines(socket: Socket): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of socket) {
      rest += decoder.decode(chunk as Uint8Array, { stream: true });
      let end = rest.indexOf('\n');
      while (end >= 0) {
        const line = rest.slice(0, end).trim();
        rest = rest.slice(end + 1);
        if (line !== '') yield line;
        end = rest.indexOf('\n');
      }
      if (rest.length > lineLimitBytes) throw protocolError(`it sent a line of more than ${lineLimitBytes} bytes`);
    }
  } catch (error) {
    if (error instanceof VmError) throw error;
    // A reset or our own destroy(): the same as an end.
  }
}

function parseGreeting(line: string): { major: number; minor: number; micro: number } {
  try {
    return greetingSchema.parse(JSON.parse(line)).QMP.version.qemu;
  } catch (error) {
    throw protocolError('it did not greet', error);
  }
}

function protocolError(what: string, cause?: unknown): VmError {
  return new VmError('vm/qmp-protocol', `What answers on the control socket is not QEMU: ${what}`, {
    remedy: 'See that no other program uses the run directory, and look into the QEMU log of this run.',
    cause,
  });
}

function closedError(when: string): VmError {
  return new VmError('vm/qmp-closed', `QEMU hung up ${when}`, {
    remedy: 'Look into the QEMU log of this run for what it printed last.',
  });
}
