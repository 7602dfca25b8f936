import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer as Acceptor, type WebSocket } from 'ws';
import { type BenchHandlers, type Server, serve } from '../contract/transport.ts';
import { webSocketProtocol } from '../contract/wire-messages.ts';
import type { PlatformDeps } from '../core/platform/deps.ts';
import { WebSocketClient } from './web-socket-client.ts';

/** The largest message a screen may send. */
export const messageLimitBytes = 1024 * 1024;
const clientLimit = 50;
const pingEveryMs = 30_000;
const goodbyeMs = 1000;

/** Carries the contract over WebSockets. Who may connect was decided before. */
export class WebSocketServer implements AsyncDisposable {
  readonly #deps: Pick<PlatformDeps, 'clock' | 'log'>;
  readonly #server: Server;
  readonly #acceptor = new Acceptor({
    noServer: true,
    clientTracking: false,
    maxPayload: messageLimitBytes,
    // Loopback has bandwidth to spare, and compression would hold a window of memory per screen.
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(webSocketProtocol) ? webSocketProtocol : false),
  });
  readonly #clients = new Set<WebSocketClient>();
  #ping: Disposable;
  #isClosed = false;

  constructor(deps: Pick<PlatformDeps, 'clock' | 'log'>, handlers: BenchHandlers) {
    this.#deps = deps;
    this.#server = serve(handlers);
    this.#ping = this.#pingLater();
  }

  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#isClosed) {
      socket.destroy();
      return;
    }
    this.#acceptor.handleUpgrade(request, socket, head, (webSocket) => this.#take(webSocket));
  }

  /** Says goodbye to every screen and waits for it, for a second. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#ping[Symbol.dispose]();
    const clients = [...this.#clients];
    const gone = clients.map((client) => client.gone);
    for (const client of clients) client.close(1001, 'the bench is closing');
    using _deadline = this.#deps.clock.after(goodbyeMs, () => {
      for (const client of clients) client.drop();
    });
    await Promise.all(gone);
  }

  #take(webSocket: WebSocket): void {
    const client = new WebSocketClient(webSocket, this.#server, this.#deps.log);
    if (webSocket.protocol !== webSocketProtocol) {
      client.close(1002, `the subprotocol here is ${webSocketProtocol}`);
    } else if (this.#clients.size >= clientLimit) {
      client.close(1013, `at most ${clientLimit} screens at once`);
    }
    this.#clients.add(client);
    void client.gone.then(() => this.#clients.delete(client));
  }

  #pingLater(): Disposable {
    return this.#deps.clock.after(pingEveryMs, () => {
      for (const client of this.#clients) client.ping();
      this.#ping = this.#pingLater();
    });
  }
}
