import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { BenchHandlers } from '../contract/transport.ts';
import { webSocketPath } from '../contract/wire-messages.ts';
import type { PlatformDeps } from '../core/platform/deps.ts';
import { errorCode } from '../core/platform/files.ts';
import { HeadlessError } from './headless-error.ts';
import { RequestGuard, type Verdict } from './request-guard.ts';
import { readStaticFiles, type StaticFile } from './static-files.ts';
import { WebSocketServer } from './web-socket-server.ts';

export type HeadlessDeps = Pick<PlatformDeps, 'clock' | 'log'>;

export interface HeadlessOptions {
  handlers: BenchHandlers;
  /** The built renderer. */
  rendererDirectory: string;
  accessToken: string;
  host: '127.0.0.1';
  /** 0 takes a free one. */
  port: number;
}

export interface HeadlessServer extends AsyncDisposable {
  /** What a person opens in a browser. It carries the access token. */
  url: string;
  port: number;
}

const headersOfAll: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * Serves the interface and the contract on loopback.
 * @throws HeadlessError `headless/port-taken`, `headless/cannot-listen`, `headless/renderer-missing`.
 */
export async function serveHeadless(deps: HeadlessDeps, options: HeadlessOptions): Promise<HeadlessServer> {
  const filesByPath = await readStaticFiles(options.rendererDirectory);
  const server = createServer({ maxHeaderSize: 16 * 1024, requestTimeout: 30_000 });
  server.maxConnections = 200;
  const port = await listen(server, options.host, options.port);

  const guard = new RequestGuard(options.accessToken, port);
  const sockets = new WebSocketServer(deps, options.handlers);
  const judge = (request: IncomingMessage) =>
    guard.judge({ method: request.method ?? '', target: request.url ?? '', headers: request.headers });
  server.on('request', (request, response) => answer(request, response, judge(request), filesByPath));
  server.on('upgrade', (request, socket, head) => {
    const verdict = judge(request);
    if (verdict.kind === 'allowed' && verdict.path === webSocketPath) sockets.accept(request, socket, head);
    else refuseUpgrade(socket, verdict);
  });
  return {
    url: `http://${options.host}:${port}/?token=${options.accessToken}`,
    port,
    async [Symbol.asyncDispose]() {
      const isClosed = new Promise<void>((resolve) => server.close(() => resolve()));
      await sockets[Symbol.asyncDispose]();
      server.closeAllConnections();
      await isClosed;
    },
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  verdict: Verdict,
  filesByPath: ReadonlyMap<string, StaticFile>,
): void {
  for (const [name, value] of Object.entries(headersOfAll)) response.setHeader(name, value);
  if (verdict.kind === 'refused') {
    sendText(response, verdict.status, verdict.text);
  } else if (verdict.kind === 'login') {
    response.writeHead(303, { Location: '/', 'Set-Cookie': verdict.setCookie, 'Cache-Control': 'no-store' }).end();
  } else {
    const file = filesByPath.get(verdict.path);
    if (file === undefined) sendText(response, 404, 'There is no such page.\n');
    else sendFile(request, response, file);
  }
}

function sendFile(request: IncomingMessage, response: ServerResponse, file: StaticFile): void {
  response.setHeader('Cache-Control', file.cacheControl);
  response.setHeader('ETag', file.etag);
  if (request.headers['if-none-match'] === file.etag) {
    response.writeHead(304).end();
    return;
  }
  // Node leaves out the body of an answer to HEAD.
  response.writeHead(200, { 'Content-Type': file.type, 'Content-Length': file.bytes.length }).end(file.bytes);
}

function sendText(response: ServerResponse, status: number, text: string): void {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' };
  const more = status === 401 ? { 'WWW-Authenticate': 'Bearer' } : status === 405 ? { Allow: 'GET, HEAD' } : {};
  response.writeHead(status, { ...headers, ...more }).end(text);
}

function refuseUpgrade(socket: Duplex, verdict: Verdict): void {
  const status = verdict.kind === 'refused' ? verdict.status : 404;
  // A client that is gone already needs no answer.
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, exclusive: true }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    if (errorCode(cause) === 'EADDRINUSE') {
      throw new HeadlessError('headless/port-taken', `Port ${port} of ${host} is taken by another program`, {
        remedy: 'Choose another one with --port N, or --port 0 for any that is free.',
        cause,
      });
    }
    throw new HeadlessError('headless/cannot-listen', `Cannot listen on ${host}:${port} (${errorCode(cause)})`, {
      remedy: 'Choose a port from 1024 on with --port N.',
      cause,
    });
  }
  const address = server.address() as AddressInfo;
  return address.port;
}
