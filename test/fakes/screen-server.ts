import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';
import { toWireError } from '../../electron/contract/errors.ts';
import type { Server } from '../../electron/contract/transport.ts';
import {
  clientMessageSchema,
  type ServerMessage,
  webSocketPath,
  webSocketProtocol,
} from '../../electron/contract/wire-messages.ts';

/** The policy that the built page has to live with, whoever serves it. */
export const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'";

const mediaTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface ScreenServer extends AsyncDisposable {
  /** Where the page is, with a slash at the end. */
  url: string;
  webSocketUrl: string;
  /** Cuts every connection, as a crash would. New ones are welcome. */
  cutConnections(): void;
  /** Whether new connections are taken; at first they are. */
  isWelcoming: boolean;
  connectionCount(): number;
}

/**
 * Serves a folder of static files and the wire messages over a WebSocket, on loopback.
 * @param folder Null for the WebSocket alone, which then wants no cookie.
 */
export async function serveScreen(server: Server, folder: string | null): Promise<ScreenServer> {
  const cookie = `screen=${randomUUID()}`;
  const http = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://screen.invalid');
    const name = normalize(pathname === '/' ? '/index.html' : pathname);
    const body = folder === null ? null : await readFile(join(folder, name)).catch(() => null);
    response.setHeader('Content-Security-Policy', contentSecurityPolicy);
    if (name === '/index.html') response.setHeader('Set-Cookie', `${cookie}; Path=/; HttpOnly; SameSite=Strict`);
    response.setHeader('Content-Type', mediaTypes[extname(name)] ?? 'application/octet-stream');
    response.statusCode = body === null ? 404 : 200;
    response.end(body);
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => chooseProtocol(offered) });
  const self = {
    isWelcoming: true,
    connectionCount: () => sockets.clients.size,
    cutConnections: () => {
      for (const socket of sockets.clients) socket.terminate();
    },
  };
  http.on('upgrade', (request, socket, head) => {
    const isKnown = folder === null || request.headers.cookie === cookie;
    if (!self.isWelcoming || !isKnown || request.url !== webSocketPath) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (open) => speak(open, server));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return Object.assign(self, {
    url: `http://127.0.0.1:${port}/`,
    webSocketUrl: `ws://127.0.0.1:${port}${webSocketPath}`,
    async [Symbol.asyncDispose]() {
      self.cutConnections();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  });
}

function chooseProtocol(offered: Set<string>): string | false {
  return offered.has(webSocketProtocol) ? webSocketProtocol : false;
}

function speak(socket: WebSocket, server: Server): void {
  const streams = new Map<number, Disposable>();
  const send = (message: ServerMessage) => socket.send(JSON.stringify(message));
  async function answer(id: number, name: string, input: unknown): Promise<void> {
    send({ type: 'answer', id, answer: await server.answer(name, input) });
  }
  socket.on('message', (data) => {
    const message = clientMessageSchema.parse(JSON.parse(String(data)));
    if (message.type === 'call') {
      void answer(message.id, message.name, message.input);
    } else if (message.type === 'listen') {
      try {
        const stream = server.open(message.name, (event) => send({ type: 'event', id: message.id, event }));
        streams.set(message.id, stream);
      } catch (error) {
        send({ type: 'end', id: message.id, error: toWireError(error) });
      }
    } else {
      streams.get(message.id)?.[Symbol.dispose]();
      streams.delete(message.id);
    }
  });
  socket.on('close', () => {
    for (const stream of streams.values()) stream[Symbol.dispose]();
  });
}
