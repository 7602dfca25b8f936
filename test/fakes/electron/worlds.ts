import { type Codec, createCodec, type LiveValues } from './codec.ts';

/**
 * A page has two JavaScript worlds here, as in Electron: its own, and an isolated one for the preload. They share the
 * DOM and nothing else; strings pass between them as events of a name that the page does not know. The texts of these
 * functions run in the page, so they use nothing but their arguments.
 */
export interface WorldSettings {
  /** Unguessable. */
  secret: string;
  /** Name of the function in the isolated world that leads to the main process. */
  binding: string;
  /** Name of the function in the isolated world that the main process calls. */
  deliver: string;
  electronVersion: string;
}

/** What pages send up. */
export type UpMessage =
  | { kind: 'invoke'; n: number; channel: string; args: unknown }
  | { kind: 'send'; channel: string; args: unknown }
  | { kind: 'open'; url: string }
  | { kind: 'preload-error'; message: string };
/** What the main process sends down. */
export type DownMessage =
  | { kind: 'answer'; n: number; value: unknown }
  | { kind: 'failure'; n: number; message: string }
  | { kind: 'push'; channel: string; args: unknown };

type Callback = (...args: unknown[]) => unknown;
type BridgeMessage =
  | { kind: 'call'; id: number; args: unknown }
  | { kind: 'returned' | 'thrown'; value: unknown }
  | { kind: 'resolved' | 'rejected'; id: number; value: unknown }
  | { kind: 'expose'; key: string; value: unknown }
  | { kind: 'open'; url: string };
interface Bridge {
  send(message: BridgeMessage): void;
  codec: Codec;
}

/** One end of the way between the two worlds; functions and promises are called and settled across it. */
function createBridge(
  newCodec: (live?: LiveValues) => Codec,
  outName: string,
  inName: string,
  onOther: (message: BridgeMessage) => void,
): Bridge {
  const functions = new Map<number, Callback>();
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  let idCount = 0;
  let answer: { kind: 'returned' | 'thrown'; value: unknown } | undefined;
  // Taken before the page's own scripts run and may replace them.
  const target = window;
  const dispatch = target.dispatchEvent.bind(target);
  const NewEvent = CustomEvent;
  const send = (message: BridgeMessage) => dispatch(new NewEvent(outName, { detail: JSON.stringify(message) }));
  const codec = newCodec({
    encodeFunction(value) {
      idCount += 1;
      functions.set(idCount, value);
      return idCount;
    },
    decodeFunction:
      (id) =>
      (...args) => {
        // Events are handled before `dispatchEvent` returns, so the answer is there when this line is over.
        send({ kind: 'call', id, args: codec.encode(args) });
        const { kind, value } = answer ?? { kind: 'thrown', value: codec.encode(new Error('no answer')) };
        answer = undefined;
        if (kind === 'thrown') throw codec.decode(value);
        return codec.decode(value);
      },
    encodePromise(value) {
      idCount += 1;
      const id = idCount;
      value.then(
        (result) => send({ kind: 'resolved', id, value: codec.encode(result) }),
        (error: unknown) => send({ kind: 'rejected', id, value: codec.encode(error) }),
      );
      return id;
    },
    decodePromise: (id) => new Promise((resolve, reject) => waiting.set(id, { resolve, reject })),
  });

  function onCall(id: number, args: unknown): void {
    try {
      const result = functions.get(id)?.(...(codec.decode(args) as unknown[]));
      send({ kind: 'returned', value: codec.encode(result) });
    } catch (error) {
      send({ kind: 'thrown', value: codec.encode(error) });
    }
  }

  target.addEventListener(inName, (event) => {
    const message = JSON.parse((event as CustomEvent<string>).detail) as BridgeMessage;
    switch (message.kind) {
      case 'call':
        return onCall(message.id, message.args);
      case 'returned':
      case 'thrown':
        answer = message;
        return;
      case 'resolved':
        waiting.get(message.id)?.resolve(codec.decode(message.value));
        waiting.delete(message.id);
        return;
      case 'rejected':
        waiting.get(message.id)?.reject(codec.decode(message.value));
        waiting.delete(message.id);
        return;
      default:
        return onOther(message);
    }
  });
  return { send, codec };
}

/** In the page's own world, before its scripts. */
function mainWorld(
  settings: WorldSettings,
  newCodec: (live?: LiveValues) => Codec,
  newBridge: typeof createBridge,
): void {
  if (window !== window.top) return;
  const freeze = (value: unknown): unknown => {
    if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) freeze(member);
    return Object.freeze(value);
  };
  const bridge = newBridge(newCodec, `${settings.secret}-up`, `${settings.secret}-down`, (message) => {
    if (message.kind !== 'expose') return;
    Object.defineProperty(window, message.key, { value: freeze(bridge.codec.decode(message.value)), enumerable: true });
  });
  // Never a second page: it would be Playwright's to attach to and ours to close at once.
  const open = (url: string) => bridge.send({ kind: 'open', url: new URL(url, location.href).href });
  window.open = (url) => {
    open(String(url ?? ''));
    return null;
  };
  window.addEventListener(
    'click',
    (event) => {
      const link = event.target instanceof Element ? event.target.closest('a[target=_blank]') : null;
      if (!(link instanceof HTMLAnchorElement)) return;
      event.preventDefault();
      open(link.href);
    },
    true,
  );
}

type Preload = (require: (name: string) => unknown, module: { exports: unknown }, process: unknown) => void;

/** In the isolated world: the modules of a sandboxed preload, then the preload itself. */
function isolatedWorld(
  settings: WorldSettings,
  newCodec: (live?: LiveValues) => Codec,
  newBridge: typeof createBridge,
  preload: Preload,
): void {
  if (window !== window.top) return;
  const world = globalThis as unknown as Record<string, unknown>;
  const { encode, decode } = newCodec();
  const call = world[settings.binding] as (payload: string) => void;
  const post = (message: UpMessage) => call(JSON.stringify(message));
  const bridge = newBridge(newCodec, `${settings.secret}-down`, `${settings.secret}-up`, (message) => {
    if (message.kind === 'open') post({ kind: 'open', url: message.url });
  });

  const waiting = new Map<number, { channel: string; resolve(value: unknown): void; reject(error: Error): void }>();
  const listeners = new Map<string, Set<Callback>>();
  let invokeCount = 0;
  const ipcRenderer = {
    invoke: (channel: string, ...args: unknown[]) =>
      new Promise((resolve, reject) => {
        const encoded = encode(args);
        invokeCount += 1;
        waiting.set(invokeCount, { channel, resolve, reject });
        post({ kind: 'invoke', n: invokeCount, channel, args: encoded });
      }),
    send: (channel: string, ...args: unknown[]) => post({ kind: 'send', channel, args: encode(args) }),
    on: (channel: string, listener: Callback) => {
      listeners.set(channel, (listeners.get(channel) ?? new Set()).add(listener));
      return ipcRenderer;
    },
    off: (channel: string, listener: Callback) => {
      listeners.get(channel)?.delete(listener);
      return ipcRenderer;
    },
  };
  world[settings.deliver] = (message: DownMessage) => {
    if (message.kind === 'push') {
      const args = decode(message.args) as unknown[];
      for (const listener of [...(listeners.get(message.channel) ?? [])]) listener({ sender: ipcRenderer }, ...args);
      return;
    }
    const waiter = waiting.get(message.n);
    waiting.delete(message.n);
    if (message.kind === 'answer') waiter?.resolve(decode(message.value));
    else waiter?.reject(new Error(`Error invoking remote method '${waiter.channel}': ${message.message}`));
  };

  const contextBridge = {
    exposeInMainWorld: (key: string, value: unknown) =>
      bridge.send({ kind: 'expose', key, value: bridge.codec.encode(value) }),
  };
  const strictly = <T extends object>(name: string, module: T): T =>
    new Proxy(module, {
      get(target, key) {
        if (key in target || typeof key === 'symbol' || key === 'then') return Reflect.get(target, key);
        throw new Error(`electron double: ${name}.${key} is not implemented`);
      },
    });
  const electron = strictly('electron', {
    contextBridge: strictly('contextBridge', contextBridge),
    ipcRenderer: strictly('ipcRenderer', ipcRenderer),
  });
  const require = (name: string) => {
    if (name === 'electron' || name === 'electron/renderer') return electron;
    throw new Error(`module not found: ${name}`);
  };
  const versions = { electron: settings.electronVersion };
  const process = { type: 'renderer', sandboxed: true, contextIsolated: true, platform: 'linux', versions, env: {} };
  try {
    preload(require, { exports: {} }, process);
  } catch (error) {
    post({ kind: 'preload-error', message: String(error) });
  }
}

/** The scripts a page starts with, in each of its worlds. `preload` is the text of a CommonJS file. */
export function worldScripts(settings: WorldSettings, preload: string): { main: string; isolated: string } {
  const common = [JSON.stringify(settings), String(createCodec), String(createBridge)].join(',\n');
  return {
    main: `(${String(mainWorld)})(${common});`,
    isolated: `(${String(isolatedWorld)})(${common}, function (require, module, process) { const exports = module.exports;\n${preload}\n});`,
  };
}
