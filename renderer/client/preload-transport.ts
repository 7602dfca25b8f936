import { BenchError, fromWireError, toWireError } from '../../electron/contract/errors.ts';
import type { PreloadBench } from '../../electron/contract/preload.ts';
import type { Transport } from '../../electron/contract/transport.ts';

/** Carries calls over what the preload put on `window`. It never closes: it lives as long as the window. */
export function createPreloadTransport(bench: PreloadBench): Transport {
  return {
    call: (name, input) => bench.call(name, input),
    listen(name, onEvent, onEnd) {
      let isOpen = true;
      const take = (event: unknown) => {
        if (!isOpen) return;
        try {
          onEvent(event);
        } catch (error) {
          isOpen = false;
          stop();
          onEnd?.(unreadable(error));
        }
      };
      const stop = bench.listen(name, take, (error) => {
        if (!isOpen) return;
        isOpen = false;
        onEnd?.(fromWireError(error));
      });
      return {
        [Symbol.dispose]() {
          if (!isOpen) return;
          isOpen = false;
          stop();
        },
      };
    },
  };
}

/** An event that does not fit the contract: the two sides are of different versions. */
export function unreadable(error: unknown): BenchError {
  return new BenchError(
    'transport/unreadable',
    `The bench said something this window does not understand: ${toWireError(error).message.slice(0, 500)}`,
    { remedy: 'The window is older or newer than the core. Reload it.', cause: error },
  );
}
