import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorCode } from '../platform/files.ts';
import type { ListenerLimits } from './limits.ts';
import { ProxyError } from './proxy-error.ts';

export interface MachineServerOptions {
  limits: ListenerLimits;
  /** A request whose head is sound; called for each one, also for several of one connection at once. */
  onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** A connection or request that was refused before it could become one; status 0 where there was no answer. */
  onRefused: (what: string, status: number, why: string) => void;
}

/** The HTTP server of one run: Node's, with limits that fit, on a unix socket that goes when it closes. */
export class MachineServer {
  readonly #server: Server;
  readonly #options: MachineServerOptions;
  /** How many answers are open on each connection. */
  readonly #openBySocket = new Map<Socket, number>();

  constructor(options: MachineServerOptions) {
    this.#options = options;
    const { limits } = options;
    this.#server = createServer({
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headerMs,
      connectionsCheckingInterval: Math.max(50, limits.headerMs / 4),
      // Uploads take as long as they take; the relay has limits of its own.
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveMs,
    });
    this.#server.maxConnections = limits.connectionCount;
    this.#server.on('connection', (socket) => {
      this.#openBySocket.set(socket, 0);
      socket.once('close', () => this.#openBySocket.delete(socket));
    });
    this.#server.on('drop', () => options.onRefused('connection', 0, 'too many connections'));
    const serve = (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response);
    this.#server.on('request', serve);
    // The body is asked for when it is known that it is wanted.
    this.#server.on('checkContinue', serve);
    this.#server.on('clientError', (error, socket) => this.#sawBrokenRequest(error, socket as Socket));
    const refuseProtocol = (_: IncomingMessage, socket: unknown) => {
      options.onRefused('method', 405, 'connect or upgrade');
      endRaw(socket as Socket, '405 Method Not Allowed');
    };
    this.#server.on('connect', refuseProtocol);
    this.#server.on('upgrade', refuseProtocol);
  }

  /** @throws ProxyError `proxy/listen-failed` */
  async listen(socketPath: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen({ path: socketPath }, resolve);
    try {
      await promise;
    } catch (cause) {
      throw new ProxyError('proxy/listen-failed', `The run's socket cannot be opened (${errorCode(cause)}).`, {
        remedy: 'Check that the folder of run sockets exists and may be written.',
        cause,
      });
    }
    this.#server.off('error', reject);
  }

  /** Destroys all connections and removes the socket. */
  close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    // Also those that an upgrade took away from the server.
    for (const socket of this.#openBySocket.keys()) socket.destroy();
    return promise;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    this.#openBySocket.set(socket, (this.#openBySocket.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const openCount = this.#openBySocket.get(socket);
      if (openCount !== undefined) this.#openBySocket.set(socket, openCount - 1);
    });
    this.#options.onRequest(request, response);
  }

  /** What Node's parser would not take: too slow, too long, or no HTTP. */
  #sawBrokenRequest(error: Error, socket: Socket): void {
    const code = errorCode(error);
    if (code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const status = brokenStatuses[code ?? ''] ?? '400 Bad Request';
    this.#options.onRefused('malformed', Number(status.slice(0, 3)), code ?? 'not HTTP');
    // In the middle of an answer a second one would only be taken for a part of it.
    if ((this.#openBySocket.get(socket) ?? 0) > 0) socket.destroy();
    else endRaw(socket, status);
  }
}

const brokenStatuses: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** For connections that Node's server has given up: an answer without a body, then the end. */
function endRaw(socket: Socket, status: string): void {
  // Whoever sent this may be gone already.
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
