import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import type { PlatformDeps } from '../../platform/deps.ts';
import { type EgressTarget, parseAbsolute, parseAuthority } from './egress-target.ts';
import { exchange } from './http-exchange.ts';
import { destroyWhenIdle } from './idle-watch.ts';
import { joinSockets } from './join-sockets.ts';
import { connectOutward, type OutwardOptions, OutwardRefusal } from './outward-connections.ts';
import { isPublicAddress } from './public-address.ts';
import { type Resolver, systemResolver } from './resolver.ts';
import { closeServer, listenOnSocket } from './unix-listener.ts';

/** What a machine did or tried, for the interface. `host` has at most 253 characters and comes from the guest. */
export type EgressEvent =
  | { kind: 'refused'; host: string; port: number; why: string }
  | { kind: 'opened'; host: string; port: number; address: string }
  | { kind: 'closed'; host: string; port: number; sentBytes: number; receivedBytes: number };

export interface EgressLimits {
  /** Tunnels and requests at once; more are answered with 503. */
  maxConnections: number;
  maxHeaderBytes: number;
  /** For one address of a name. */
  connectMs: number;
  /** A tunnel or request without a byte in either direction for this long is ended. */
  idleMs: number;
}

export const defaultEgressLimits: EgressLimits = {
  maxConnections: 64,
  maxHeaderBytes: 32 * 1024,
  connectMs: 15_000,
  idleMs: 10 * 60_000,
};

export interface EgressOptions {
  socketPath: string;
  /** Names to addresses; by default DNS alone, without this PC's hosts file and neighbours. */
  resolve?: Resolver;
  /** Decides instead of "is public". */
  isAllowedAddress?: (address: string, port: number) => boolean;
  /** Addresses with ports that are let through although they are not public: `ReachPlan.throughProxy`. */
  exceptions?: readonly EgressTarget[];
  limits?: Partial<EgressLimits>;
  onEvent?: (event: EgressEvent) => void;
}

type ProxyDeps = Pick<PlatformDeps, 'clock' | 'files' | 'log'>;

/** Connections kept beyond the limit, so that their refusal can be said. */
const refusableConnections = 16;

/**
 * The filtered way to the internet for one machine: an HTTP proxy (CONNECT, and absolute `http://` requests) that resolves
 * a name first, refuses what is not public, and connects to the very address it looked at. Every refusal is a 403 with a
 * sentence of why.
 */
export class EgressProxy implements AsyncDisposable {
  readonly #deps: ProxyDeps;
  readonly #options: EgressOptions;
  readonly #limits: EgressLimits;
  readonly #server: Server;
  readonly #outward: OutwardOptions;
  readonly #guests = new Set<Duplex>();
  #openCount = 0;

  private constructor(deps: ProxyDeps, options: EgressOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#limits = { ...defaultEgressLimits, ...options.limits };
    const { maxHeaderBytes, maxConnections, connectMs } = this.#limits;
    this.#outward = {
      resolve: options.resolve ?? systemResolver(),
      isAllowedAddress: options.isAllowedAddress ?? ((address) => isPublicAddress(address, networkInterfaces())),
      exceptions: options.exceptions ?? [],
      connectMs,
    };
    // An upload takes as long as it takes; only its headers have a deadline.
    this.#server = createServer({ maxHeaderSize: maxHeaderBytes, headersTimeout: 30_000, requestTimeout: 0 });
    this.#server.maxConnections = maxConnections + refusableConnections;
    this.#server.on('connection', (guest) => {
      this.#guests.add(guest);
      guest.once('close', () => this.#guests.delete(guest));
    });
    this.#server.on('request', (asked, response) => {
      void this.#request(asked, response);
    });
    this.#server.on('connect', (asked, guest, head) => {
      void this.#tunnel(asked, guest, head);
    });
  }

  /** @throws EgressError `egress/cannot-listen`. */
  static async open(deps: ProxyDeps, options: EgressOptions): Promise<EgressProxy> {
    const proxy = new EgressProxy(deps, options);
    await listenOnSocket(deps, proxy.#server, options.socketPath);
    return proxy;
  }

  /** Destroys every connection, because their machine is gone, and removes the socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = closeServer(this.#server);
    for (const guest of this.#guests) guest.destroy();
    await closed;
  }

  async #tunnel(asked: IncomingMessage, guest: Duplex, head: Buffer): Promise<void> {
    guest.on('error', () => {});
    const refuse = (status: number, why: string) => guest.end(refusal(status, why));
    const target = parseAuthority(asked.url ?? '');
    if (target === undefined) {
      refuse(400, 'CONNECT needs host:port.');
      return;
    }
    await this.#withOutside(target, guest, refuse, async (outside) => {
      guest.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) outside.write(head);
      await joinSockets(guest, outside);
    });
  }

  async #request(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    const refuse = (status: number, why: string) => {
      response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
      response.end(`${why}\n`);
    };
    const parsed = parseAbsolute(asked.url ?? '');
    if (parsed === undefined) {
      refuse(400, 'This is a proxy: it takes http:// addresses, and CONNECT for everything else.');
      return;
    }
    const { target, url } = parsed;
    await this.#withOutside(target, response, refuse, async (outside) => {
      response.once('close', () => outside.destroy());
      try {
        await exchange(asked, response, url, outside);
      } catch {
        if (response.headersSent) response.destroy();
        else refuse(502, `${target.host} closed the connection without an answer.`);
      }
    });
  }

  /** Opens a connection to where the guest wants to go, and accounts for it until `use` is done with it. */
  async #withOutside(
    target: EgressTarget,
    guest: Duplex | ServerResponse,
    refuse: (status: number, why: string) => void,
    use: (outside: Socket) => Promise<void>,
  ): Promise<void> {
    const { host, port } = target;
    const tell = (event: EgressEvent) => this.#options.onEvent?.(event);
    if (this.#openCount >= this.#limits.maxConnections) {
      const why = `This machine has ${this.#limits.maxConnections} connections open already.`;
      tell({ kind: 'refused', host, port, why });
      refuse(503, why);
      return;
    }
    this.#openCount += 1;
    const gone = new AbortController();
    const onGone = () => gone.abort();
    guest.once('close', onGone);
    try {
      const { socket, address } = await connectOutward(this.#deps, this.#outward, target, gone.signal);
      tell({ kind: 'opened', host, port, address });
      try {
        using _idle = destroyWhenIdle(this.#deps, socket, this.#limits.idleMs);
        await use(socket);
      } finally {
        socket.destroy();
        tell({ kind: 'closed', host, port, sentBytes: socket.bytesWritten, receivedBytes: socket.bytesRead });
      }
    } catch (error) {
      if (error instanceof OutwardRefusal) {
        tell({ kind: 'refused', host, port, why: error.message });
        refuse(error.status, error.message);
      } else if (!gone.signal.aborted) {
        this.#deps.log.error({ error, host, port }, 'connection of a machine ended unexpectedly');
        refuse(502, `${host} cannot be reached.`);
      }
    } finally {
      guest.off('close', onGone);
      this.#openCount -= 1;
    }
  }
}

function refusal(status: number, why: string): string {
  const body = `${why}\n`;
  const headers = ['Content-Type: text/plain; charset=utf-8', `Content-Length: ${Buffer.byteLength(body)}`];
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers.join('\r\n')}\r\nConnection: close\r\n\r\n${body}`;
}
