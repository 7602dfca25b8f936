import { connect, createServer, type Server, type Socket } from 'node:net';
import type { PlatformDeps } from '../../platform/deps.ts';
import { destroyWhenIdle } from './idle-watch.ts';
import { joinSockets } from './join-sockets.ts';
import { closeServer, listenOnSocket } from './unix-listener.ts';

export interface ReachForwarderOptions {
  /** Where QEMU's helper connects for each connection of the guest. */
  socketPath: string;
  /** A name, as this PC resolves it, or an address. */
  toHost: string;
  toPort: number;
  /** More than these at once are closed as they come. */
  maxConnections?: number;
  /**
   * Once one side has ended, the other is given this long without a byte. A guest's process that is gone looks the same
   * as one that only listens now, and must not hold a connection for ever.
   */
  lingerMs?: number;
}

type ForwarderDeps = Pick<PlatformDeps, 'clock' | 'files' | 'log'>;

/**
 * A door: each connection to the socket becomes one to exactly one host and port, with bytes passed as they are. Where
 * that cannot be reached, the guest's connection is closed.
 */
export class ReachForwarder implements AsyncDisposable {
  readonly #deps: ForwarderDeps;
  readonly #options: ReachForwarderOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(deps: ForwarderDeps, options: ReachForwarderOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (guest) => {
      void this.#forward(guest);
    });
    this.#server.maxConnections = options.maxConnections ?? 64;
  }

  /** @throws EgressError `egress/cannot-listen`. */
  static async open(deps: ForwarderDeps, options: ReachForwarderOptions): Promise<ReachForwarder> {
    const forwarder = new ReachForwarder(deps, options);
    await listenOnSocket(deps, forwarder.#server, options.socketPath);
    return forwarder;
  }

  /** Destroys every connection, because their machine is gone, and removes the socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = closeServer(this.#server);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #forward(guest: Socket): Promise<void> {
    const { toHost: host, toPort: port, lingerMs = 120_000 } = this.#options;
    const outside = connect({ host, port, allowHalfOpen: true, keepAlive: true });
    outside.once('error', (error) => this.#deps.log.debug({ error, host, port }, 'door could not be passed'));
    using lingering = new DisposableStack();
    let isLingering = false;
    for (const socket of [guest, outside]) {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.once('end', () => {
        if (!isLingering) lingering.use(destroyWhenIdle(this.#deps, outside, lingerMs));
        isLingering = true;
      });
    }
    // Bytes wait in the guest's socket until the other end is connected; a failure there closes both.
    await joinSockets(guest, outside);
  }
}
