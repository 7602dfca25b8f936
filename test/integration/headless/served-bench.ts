import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { BenchError } from '../../../electron/contract/errors.ts';
import type { Transport } from '../../../electron/contract/transport.ts';
import {
  type ClientMessage,
  serverMessageSchema,
  webSocketPath,
  webSocketProtocol,
} from '../../../electron/contract/wire-messages.ts';
import { systemClock } from '../../../electron/core/platform/clock.ts';
import type { PlatformDeps } from '../../../electron/core/platform/deps.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { serveHeadless } from '../../../electron/headless/http-server.ts';
import { FakeBench } from '../../fakes/fake-bench.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

export const accessToken = 'T'.repeat(43);

/** A small built renderer, with what must be served and what must not. */
export async function aRenderer(directory: string): Promise<string> {
  const folder = join(directory, 'renderer');
  await mkdir(join(folder, 'assets'), { recursive: true });
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>bench</title>');
  await writeFile(join(folder, 'assets/index-AbCd1234.js'), 'export {};');
  await writeFile(join(folder, 'assets/index-AbCd1234.css'), 'body {}');
  await writeFile(join(folder, 'assets/index-AbCd1234.js.map'), '{}');
  await writeFile(join(folder, 'favicon.svg'), '<svg/>');
  await writeFile(join(directory, 'secret.html'), 'secret');
  return folder;
}

/** A fake bench behind the headless shell, on a free port. */
export async function servedBench(deps: Partial<Pick<PlatformDeps, 'clock'>> = {}) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryDirectory());
  const bench = stack.use(new FakeBench());
  const server = stack.use(
    await serveHeadless(
      { clock: systemClock, log: silentLog, ...deps },
      {
        handlers: bench.handlers,
        rendererDirectory: await aRenderer(folder.path),
        accessToken,
        host: '127.0.0.1',
        port: 0,
      },
    ),
  );
  const origin = `http://127.0.0.1:${server.port}`;
  return {
    bench,
    server,
    origin,
    webSocketUrl: `ws://127.0.0.1:${server.port}${webSocketPath}`,
    /** A request as a program with the token sends it. */
    get: (path: string, headers: Record<string, string> = {}) =>
      fetch(origin + path, { headers: { authorization: `Bearer ${accessToken}`, ...headers }, redirect: 'manual' }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export type ServedBench = Awaited<ReturnType<typeof servedBench>>;

/** Opens a WebSocket as a program with the token does. */
export async function openSocket(
  { webSocketUrl }: Pick<ServedBench, 'webSocketUrl'>,
  headers: Record<string, string> = { authorization: `Bearer ${accessToken}` },
  protocol = webSocketProtocol,
): Promise<WebSocket> {
  const socket = new WebSocket(webSocketUrl, protocol, { headers });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** The close code a socket ends with. */
export function closed(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => socket.once('close', (code) => resolve(code)));
}

/** A transport over an open socket, written from the message schemas alone. */
export function transportOver(socket: WebSocket): Transport {
  const answersById = new Map<number, PromiseWithResolvers<unknown>>();
  const streamsById = new Map<number, { onEvent(event: unknown): void; onEnd(error: BenchError): void }>();
  let nextId = 0;
  const send = (message: ClientMessage) => socket.send(JSON.stringify(message));
  const lost = () => new BenchError('transport/closed', 'The connection is gone', { remedy: 'Connect again.' });
  socket.on('message', (data) => {
    const message = serverMessageSchema.parse(JSON.parse(data.toString()));
    if (message.type === 'answer') {
      answersById.get(message.id)?.resolve(message.answer);
      answersById.delete(message.id);
    } else if (message.type === 'event') {
      streamsById.get(message.id)?.onEvent(message.event);
    } else {
      const { code, message: text, remedy } = message.error;
      streamsById.get(message.id)?.onEnd(new BenchError(code, text, { remedy }));
      streamsById.delete(message.id);
    }
  });
  socket.on('close', () => {
    for (const answer of answersById.values()) answer.reject(lost());
    for (const stream of streamsById.values()) stream.onEnd(lost());
    streamsById.clear();
  });
  return {
    call(name, input) {
      const id = nextId++;
      const answer = Promise.withResolvers<unknown>();
      answersById.set(id, answer);
      send({ type: 'call', id, name, input });
      return answer.promise;
    },
    listen(name, onEvent, onEnd = () => {}) {
      const id = nextId++;
      streamsById.set(id, { onEvent, onEnd });
      send({ type: 'listen', id, name });
      return {
        [Symbol.dispose]() {
          if (streamsById.delete(id)) send({ type: 'unlisten', id });
        },
      };
    },
  };
}
