import { contextBridge, ipcRenderer } from 'electron';
import type { WireError } from '../contract/errors.ts';
import { ipcChannels, type PreloadBench } from '../contract/preload.ts';
import type { Answer } from '../contract/transport.ts';
import type { CallMessage, EventMessage, ListenMessage, StreamMessage } from './ipc-messages.ts';

/**
 * Runs in a world of its own beside the page and hands it the contract's names and nothing else of Electron. Bundled
 * into one small CommonJS file, because a sandboxed preload can be no module and has no other `require`; that is also
 * why the names are written in by the build (from `contract/contract.ts`) and zod stays out.
 */
declare const contractCallNames: readonly string[];
declare const contractStreamNames: readonly string[];
// Equal to `takenChannel`, whose file needs zod.
const takenChannel: typeof import('./ipc-messages.ts').takenChannel = 'bench:taken';

const page = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
interface Listener {
  onEvent(event: unknown): void;
  onEnd?: ((error: WireError) => void) | undefined;
}
const listenersByStream = new Map<number, Listener>();
let streamCount = 0;

ipcRenderer.on(ipcChannels.event, (_event, message: EventMessage) => {
  if (message.page !== page) return;
  try {
    listenersByStream.get(message.stream)?.onEvent(message.event);
  } finally {
    const taken: StreamMessage = { page, stream: message.stream };
    ipcRenderer.send(takenChannel, taken);
  }
});

const bench = {
  async call(name: string, input: unknown): Promise<Answer> {
    if (!contractCallNames.includes(name)) return { ok: false, error: unknownName(name) };
    const message: CallMessage = { name, input };
    return (await ipcRenderer.invoke(ipcChannels.call, message)) as Answer;
  },
  /** @param onEnd Called once when the stream cannot be opened. */
  listen(name: string, onEvent: (event: unknown) => void, onEnd?: (error: WireError) => void): () => void {
    streamCount += 1;
    const stream = streamCount;
    listenersByStream.set(stream, { onEvent, onEnd });
    void open(name, stream);
    return () => {
      if (!listenersByStream.delete(stream)) return;
      const over: StreamMessage = { page, stream };
      ipcRenderer.send(ipcChannels.unlisten, over);
    };
  },
} satisfies PreloadBench;

async function open(name: string, stream: number): Promise<void> {
  const message: ListenMessage = { page, stream, name };
  const answer: Answer = contractStreamNames.includes(name)
    ? ((await ipcRenderer.invoke(ipcChannels.listen, message)) as Answer)
    : { ok: false, error: unknownName(name) };
  if (answer.ok) return;
  const listener = listenersByStream.get(stream);
  listenersByStream.delete(stream);
  listener?.onEnd?.(answer.error);
}

function unknownName(name: string): WireError {
  return {
    code: 'contract/unknown-name',
    message: `The bench has no call or stream named ${JSON.stringify(name)}`,
    remedy: 'The window is older or newer than the core. Reload it.',
  };
}

contextBridge.exposeInMainWorld('bench', bench);
