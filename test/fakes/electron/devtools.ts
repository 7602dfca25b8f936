import { EventEmitter } from 'node:events';
import { z } from 'zod';

const messageSchema = z.object({
  id: z.int().optional(),
  sessionId: z.string().optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});

interface Waiter {
  method: string;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Chromium's DevTools protocol over a WebSocket: commands with answers, and events per session. */
export class DevtoolsConnection {
  readonly browser: DevtoolsSession;
  /** Resolves when Chromium is gone. */
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiter>();
  readonly #sessions = new Map<string, DevtoolsSession>();
  #count = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.browser = new DevtoolsSession(this, undefined);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    socket.onmessage = ({ data }) => this.#receive(String(data));
    socket.onclose = () => {
      for (const { method, reject } of this.#waiting.values()) reject(new Error(`Chromium is gone: ${method}`));
      this.#waiting.clear();
      resolve();
    };
  }

  static async connect(url: string): Promise<DevtoolsConnection> {
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error(`no DevTools at ${url}`));
    });
    return new DevtoolsConnection(socket);
  }

  /** The session of one page, as `Target.attachToTarget` named it. */
  session(sessionId: string): DevtoolsSession {
    const session = new DevtoolsSession(this, sessionId);
    this.#sessions.set(sessionId, session);
    return session;
  }

  send(method: string, params: object, sessionId: string | undefined): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#count += 1;
    this.#waiting.set(this.#count, { method, resolve, reject });
    this.#socket.send(JSON.stringify({ id: this.#count, method, params, sessionId }));
    return promise;
  }

  #receive(text: string): void {
    const { id, sessionId, method, params, result, error } = messageSchema.parse(JSON.parse(text));
    if (id === undefined) {
      const session = sessionId === undefined ? this.browser : this.#sessions.get(sessionId);
      if (method !== undefined) session?.emit(method, params);
      return;
    }
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiter?.resolve(result);
    else waiter?.reject(new Error(`${waiter.method}: ${error.message}`));
  }
}

export class DevtoolsSession extends EventEmitter {
  readonly #connection: DevtoolsConnection;
  readonly #sessionId: string | undefined;

  constructor(connection: DevtoolsConnection, sessionId: string | undefined) {
    super();
    this.#connection = connection;
    this.#sessionId = sessionId;
  }

  send(method: string, params: object = {}): Promise<unknown> {
    return this.#connection.send(method, params, this.#sessionId);
  }

  /** Sends a command and parses its answer. */
  async ask<Schema extends z.ZodType>(method: string, params: object, schema: Schema): Promise<z.output<Schema>> {
    return schema.parse(await this.send(method, params));
  }

  /** Calls back with each event of a method, parsed. */
  listen<Schema extends z.ZodType>(method: string, schema: Schema, onEvent: (params: z.output<Schema>) => void): void {
    this.on(method, (params: unknown) => onEvent(schema.parse(params)));
  }
}
