import type { RawData, WebSocket } from 'ws';
import { toWireError } from '../contract/errors.ts';
import type { Server } from '../contract/transport.ts';
import { type ClientMessage, clientMessageSchema, type ServerMessage } from '../contract/wire-messages.ts';
import type { Log } from '../core/platform/log.ts';
import { HeadlessError } from './headless-error.ts';

/** A screen that has this much waiting for it is not reading: it is dropped, and gets a snapshot when it is back. */
export const bufferLimitBytes = 8 * 1024 * 1024;
const callLimit = 64;
const streamLimit = 32;

/** One screen at the other end of a WebSocket: its calls, its streams, and its end. */
export class WebSocketClient {
  /** Resolves when the connection is over and every stream of it closed. Never rejects. */
  readonly gone: Promise<void>;
  readonly #socket: WebSocket;
  readonly #server: Server;
  readonly #log: Log;
  readonly #streamsById = new Map<number, Disposable>();
  #openCallCount = 0;
  #isAlive = true;

  constructor(socket: WebSocket, server: Server, log: Log) {
    this.#socket = socket;
    this.#server = server;
    this.#log = log;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('pong', () => {
      this.#isAlive = true;
    });
    // Too large a message, broken framing, a reset: the close event follows and does what is to be done.
    socket.on('error', (error) => this.#log.debug({ error }, 'screen connection failed'));
    this.gone = new Promise((resolve) => {
      socket.once('close', () => {
        for (const stream of this.#streamsById.values()) stream[Symbol.dispose]();
        this.#streamsById.clear();
        resolve();
      });
    });
  }

  /** Drops a client that did not answer the last ping, else sends the next. */
  ping(): void {
    if (!this.#isAlive) {
      this.drop();
      return;
    }
    this.#isAlive = false;
    this.#socket.ping();
  }

  /** @param reason At most 123 bytes. */
  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** Ends the connection without a goodbye. */
  drop(): void {
    this.#socket.terminate();
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const message = isBinary ? undefined : parse(data);
    if (message === undefined) {
      this.close(1008, 'not a message of this protocol');
      return;
    }
    switch (message.type) {
      case 'call':
        this.#call(message);
        break;
      case 'listen':
        this.#listen(message);
        break;
      case 'unlisten':
        this.#streamsById.get(message.id)?.[Symbol.dispose]();
        this.#streamsById.delete(message.id);
        break;
    }
  }

  #call({ id, name, input }: Extract<ClientMessage, { type: 'call' }>): void {
    if (this.#openCallCount >= callLimit) {
      const error = toWireError(
        new HeadlessError('headless/too-busy', `${callLimit} calls of this window are not answered yet`, {
          remedy: 'Wait for them. If you did not start them, reload the window.',
        }),
      );
      this.#send({ type: 'answer', id, answer: { ok: false, error } });
      return;
    }
    this.#openCallCount += 1;
    this.#server
      .answer(name, input)
      .then((answer) => this.#send({ type: 'answer', id, answer }))
      .finally(() => {
        this.#openCallCount -= 1;
      })
      .catch((error: unknown) => {
        this.#log.error({ error }, 'answer to a screen could not be sent');
        this.drop();
      });
  }

  #listen({ id, name }: Extract<ClientMessage, { type: 'listen' }>): void {
    if (this.#streamsById.has(id) || this.#streamsById.size >= streamLimit) {
      this.close(1008, 'too many streams, or one with this id is open');
      return;
    }
    try {
      const stream = this.#server.open(name, (event) => this.#send({ type: 'event', id, event }));
      this.#streamsById.set(id, stream);
    } catch (error) {
      this.#send({ type: 'end', id, error: toWireError(error) });
    }
  }

  #send(message: ServerMessage): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(JSON.stringify(message));
    const { bufferedAmount } = this.#socket;
    if (bufferedAmount <= bufferLimitBytes) return;
    this.#log.warn({ bufferedAmount }, 'screen does not read, dropped');
    this.drop();
  }
}

function parse(data: RawData): ClientMessage | undefined {
  try {
    return clientMessageSchema.parse(JSON.parse(data.toString()));
  } catch {
    return undefined;
  }
}
