import type { WireError } from './errors.ts';
import type { Answer } from './transport.ts';

/** What the preload puts on `window` as `bench`: the contract's names and nothing else of Electron. */
export interface PreloadBench {
  call(name: string, input: unknown): Promise<Answer>;
  /**
   * @param onEnd Called once when the stream cannot be opened.
   * @returns A function that ends the stream.
   */
  listen(name: string, onEvent: (event: unknown) => void, onEnd?: (error: WireError) => void): () => void;
}

/** IPC channels: `call` and `listen` are invoked by the page, `event` is pushed to it. */
export const ipcChannels = {
  call: 'bench:call',
  listen: 'bench:listen',
  unlisten: 'bench:unlisten',
  event: 'bench:event',
} as const;
