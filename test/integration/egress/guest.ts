import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Clock } from '../../../electron/core/platform/clock.ts';
import { systemClock } from '../../../electron/core/platform/clock.ts';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { type EgressEvent, type EgressOptions, EgressProxy } from '../../../electron/core/vm/egress/egress-proxy.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

export const deps = { clock: systemClock, files: systemFiles, log: silentLog };

/** A proxy on a socket of its own, its events, and a guest's ways to use it. */
export async function aProxy(options: Partial<EgressOptions> = {}, clock: Clock = systemClock) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryDirectory());
  const socketPath = options.socketPath ?? join(folder.path, 'e');
  const events: EgressEvent[] = [];
  const proxy = stack.use(
    await EgressProxy.open({ ...deps, clock }, { onEvent: (event) => events.push(event), ...options, socketPath }),
  );
  const dial = () => stack.use(disposable(connect({ path: socketPath, allowHalfOpen: true }))).socket;
  return {
    proxy,
    events,
    socketPath,
    dial,
    /** Sends a request as it is and reads the whole answer. */
    async ask(head: string): Promise<string> {
      const socket = dial();
      socket.write(`${head}\r\n\r\n`);
      return await text(socket);
    },
    /** Opens a tunnel: the head of the proxy's answer, and the connection with what follows it. */
    async tunnel(authority: string): Promise<{ status: number; socket: Socket }> {
      const socket = dial();
      socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
      const head = await readHead(socket);
      return { status: Number(head.split(' ')[1]), socket };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Reads up to the blank line and leaves what follows in the stream. */
export async function readHead(socket: Socket): Promise<string> {
  let head = Buffer.alloc(0);
  for (;;) {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) {
      if (socket.readableEnded || socket.destroyed) throw new Error(`ended after ${JSON.stringify(head.toString())}`);
      await Promise.race([once(socket, 'readable'), once(socket, 'end'), once(socket, 'close')]);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) continue;
    if (head.length > end + 4) socket.unshift(head.subarray(end + 4));
    return head.subarray(0, end).toString();
  }
}

/** Resolves when the other side has ended or broken the connection, whatever it sent. */
export async function ended(socket: Socket): Promise<void> {
  if (socket.readableEnded || socket.destroyed) return;
  socket.resume();
  await new Promise<void>((resolve) => {
    socket.once('end', resolve);
    socket.once('close', () => resolve());
  });
}

export interface Listening extends AsyncDisposable {
  port: number;
  /** Connections that were made to it. */
  connectionCount(): number;
}

/** A TCP server on loopback. */
export async function aTcpServer(onConnection: (socket: Socket) => void, host = '127.0.0.1'): Promise<Listening> {
  return await listening(createServer({ allowHalfOpen: true }, onConnection), host);
}

/** An HTTP server on loopback. */
export async function aWebServer(onRequest: RequestListener, host = '127.0.0.1'): Promise<Listening> {
  return await listening(createHttpServer(onRequest), host);
}

async function listening(server: Server, host: string): Promise<Listening> {
  const sockets = new Set<Socket>();
  let connectionCount = 0;
  server.on('connection', (socket: Socket) => {
    connectionCount += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    connectionCount: () => connectionCount,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function disposable(socket: Socket) {
  socket.on('error', () => {});
  return {
    socket,
    async [Symbol.asyncDispose]() {
      socket.destroy();
      if (!socket.closed) await once(socket, 'close');
    },
  };
}
