import { connect, type Socket } from 'node:net';
import type { PlatformDeps } from '../platform/deps.ts';
import { errorCode } from '../platform/files.ts';
import { greetingSchema, parseQmpMessage, type QmpAnswer, type QmpEvent } from './qmp-messages.ts';
import { VmError } from './vm-error.ts';

/** The longest line QEMU may send, in characters. Its greeting and our answers are under 1 KiB. */
const lineLimit = 1024 * 1024;
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
  /** Resolves when the connection has ended, whoever ended it and why; events before that have been delivered. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #greeted = Promise.withResolvers<void>();
  readonly #waitingById = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  /** Events that came before anybody listened; they go to the first who does. */
  readonly #unheard: QmpEvent[] = [];
  #version: string | undefined;
  #rest = '';
  #lastId = 0;
  #failure: VmError | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#fail(closedError(this.#version === undefined ? 'before its greeting' : 'and ended the connection'));
        resolve();
      });
    });
    const decoder = new TextDecoder();
    // Not an async iteration: QEMU may reset the connection behind its last words, and that would throw them away.
    socket.on('data', (bytes: Uint8Array) => this.#read(decoder.decode(bytes, { stream: true })));
  }

  /**
   * Connects as soon as QEMU has made its socket, and agrees on capabilities.
   * @param signal Ends the waiting; then rejects with its reason.
   * @throws VmError `vm/qmp-unreachable` where the socket cannot be used, `vm/qmp-protocol` where something else
   * than QEMU answers there, `vm/qmp-closed` where it hangs up.
   */
  static async connect(deps: Pick<PlatformDeps, 'clock'>, path: string, signal: AbortSignal): Promise<Qmp> {
    const qmp = new Qmp(await openSocket(deps, path, signal));
    const giveUp = () => qmp.#socket.destroy();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      if (signal.aborted) giveUp();
      await qmp.#greeted.promise;
      await qmp.execute('qmp_capabilities');
      return qmp;
    } catch (error) {
      await qmp[Symbol.asyncDispose]();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** QEMU's version, from its greeting. */
  get version(): string {
    return this.#version ?? '';
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

  #read(text: string): void {
    if (this.#failure !== undefined) return;
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    try {
      for (const line of lines) if (line.trim() !== '') this.#take(line);
      if (this.#rest.length > lineLimit) throw new RangeError(`a line of more than ${lineLimit} characters`);
    } catch (error) {
      const what = this.#version === undefined ? 'it did not greet' : 'it does not follow the protocol';
      this.#fail(protocolError(what, error));
    }
  }

  #take(line: string): void {
    if (this.#version === undefined) {
      const { major, minor, micro } = greetingSchema.parse(JSON.parse(line)).QMP.version.qemu;
      this.#version = `${major}.${minor}.${micro}`;
      this.#greeted.resolve();
      return;
    }
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

  /** The first failure is the one that counts; nothing is read after it. */
  #fail(failure: VmError): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#socket.destroy();
    this.#greeted.reject(failure);
    for (const waiting of this.#waitingById.values()) waiting.reject(failure);
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
      // From here on an error shows as the end of the connection; without a listener it would end the process.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
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
