import { BenchError } from '../../electron/contract/errors.ts';
import type { Transport } from '../../electron/contract/transport.ts';
import {
  type ClientMessage,
  type ServerMessage,
  serverMessageSchema,
  webSocketProtocol,
} from '../../electron/contract/wire-messages.ts';
import { unreadable } from './preload-transport.ts';

interface Call {
  resolve(answer: unknown): void;
  reject(error: BenchError): void;
}
interface Stream {
  onEvent(event: unknown): void;
  onEnd(error: BenchError): void;
}
interface Connection {
  socket: WebSocket;
  /** Resolves when messages may be sent; rejects with why not. */
  opened: Promise<void>;
  callsById: Map<number, Call>;
  streamsById: Map<number, Stream>;
}

/**
 * Carries calls over a WebSocket. The socket is opened by the first call or stream, and again by the first one after
 * it was lost: whoever listens decides when to try again.
 * @param url Where the core listens, `ws:` or `wss:`. The cookie of the page's origin is what authenticates.
 */
export function createWebSocketTransport(url: string): Transport & Disposable {
  let current: Connection | null = null;
  let nextId = 0;

  function connection(): Connection {
    if (current !== null) return current;
    const connected = connect(url, () => {
      if (current === connected) current = null;
    });
    current = connected;
    return connected;
  }

  function send(to: Connection, message: ClientMessage): void {
    to.socket.send(JSON.stringify(message));
  }

  return {
    async call(name, input) {
      const to = connection();
      await to.opened;
      const id = nextId++;
      return await new Promise<unknown>((resolve, reject) => {
        to.callsById.set(id, { resolve, reject });
        // A socket that closes in this very moment does not throw: its close event rejects the call.
        send(to, { type: 'call', id, name, input });
      });
    },
    listen(name, onEvent, onEnd = () => {}) {
      const to = connection();
      const id = nextId++;
      to.streamsById.set(id, { onEvent, onEnd });
      to.opened.then(
        () => {
          if (to.streamsById.has(id)) send(to, { type: 'listen', id, name });
        },
        () => {}, // the close event has told every stream why
      );
      return {
        [Symbol.dispose]() {
          if (to.streamsById.delete(id) && to.socket.readyState === WebSocket.OPEN) send(to, { type: 'unlisten', id });
        },
      };
    },
    [Symbol.dispose]() {
      current?.socket.close(1000, 'The window is closing');
    },
  };
}

function connect(url: string, onLost: () => void): Connection {
  const socket = new WebSocket(url, webSocketProtocol);
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => {}); // whoever waits is told; nobody has to wait
  const connection: Connection = {
    socket,
    opened: opened.promise,
    callsById: new Map(),
    streamsById: new Map(),
  };
  let wasOpen = false;
  let fault: BenchError | null = null;

  socket.addEventListener('open', () => {
    wasOpen = true;
    opened.resolve();
  });
  socket.addEventListener('message', (event) => {
    try {
      deliver(connection, parseMessage(event.data));
    } catch (error) {
      fault = unreadable(error);
      socket.close(4000, 'Unreadable message');
    }
  });
  socket.addEventListener('close', (event) => {
    onLost();
    const error = fault ?? closedError(wasOpen, event.reason);
    opened.reject(error);
    for (const call of connection.callsById.values()) call.reject(error);
    connection.callsById.clear();
    const streams = [...connection.streamsById.values()];
    connection.streamsById.clear();
    for (const stream of streams) stream.onEnd(error);
  });
  return connection;
}

function parseMessage(data: unknown): ServerMessage {
  if (typeof data !== 'string') throw new TypeError('Expected a text message');
  return serverMessageSchema.parse(JSON.parse(data));
}

/** A message for a call or stream that is no longer open is late, and dropped. */
function deliver(connection: Connection, message: ServerMessage): void {
  switch (message.type) {
    case 'answer':
      connection.callsById.get(message.id)?.resolve(message.answer);
      connection.callsById.delete(message.id);
      return;
    case 'event':
      connection.streamsById.get(message.id)?.onEvent(message.event);
      return;
    case 'end': {
      const stream = connection.streamsById.get(message.id);
      connection.streamsById.delete(message.id);
      const { code, message: text, remedy } = message.error;
      stream?.onEnd(new BenchError(code, text, { remedy }));
      return;
    }
  }
}

function closedError(wasOpen: boolean, reason: string): BenchError {
  if (reason !== '') {
    return new BenchError('transport/closed', reason, { remedy: 'The window connects again by itself.' });
  }
  if (wasOpen) {
    return new BenchError('transport/closed', 'The connection to the bench was lost', {
      remedy: 'The window connects again by itself as soon as the bench answers. Running jobs go on meanwhile.',
    });
  }
  return new BenchError('transport/closed', 'The bench does not answer', {
    remedy: 'Check that it runs. If it was started anew, open the link that it printed then: the old one has expired.',
  });
}
