import type { Page } from 'playwright-core';
import { BenchError, fromWireError, type WireError } from '../../electron/contract/errors.ts';
import type { Answer, Transport } from '../../electron/contract/transport.ts';

/** What the preload puts on `window`. */
interface PageBench {
  call(name: string, input: unknown): Promise<Answer>;
  listen(name: string, onEvent: (event: unknown) => void, onEnd: (error: WireError) => void): () => void;
}

/** Kept on the page for the test: how to end each stream it has opened, and where events go. */
interface PageWindow {
  bench: PageBench;
  conformanceStops: Map<number, () => void>;
  conformanceEvent(stream: number, event: unknown): Promise<void>;
  conformanceEnd(stream: number, error: WireError): Promise<void>;
}

interface Listener {
  onEvent(event: unknown): void;
  onEnd: ((error: BenchError) => void) | undefined;
}

/** The transport of the preload, as a page has it, brought into the test's process by Playwright. */
export async function pageTransport(page: Page): Promise<Transport> {
  const listeners = new Map<number, Listener>();
  let streamCount = 0;
  await page.exposeFunction('conformanceEvent', (stream: number, event: unknown) =>
    listeners.get(stream)?.onEvent(event),
  );
  await page.exposeFunction('conformanceEnd', (stream: number, error: WireError) => {
    listeners.get(stream)?.onEnd?.(fromWireError(error));
    listeners.delete(stream);
  });
  await page.evaluate(() => Object.assign(globalThis, { conformanceStops: new Map() }));
  page.once('close', () => {
    for (const { onEnd } of listeners.values()) onEnd?.(closed());
    listeners.clear();
  });

  function start(stream: number, name: string): Promise<void> {
    return page.evaluate(
      ([number, streamName]) => {
        const { bench, conformanceEnd, conformanceEvent, conformanceStops } = globalThis as unknown as PageWindow;
        // Playwright answers each call by itself; the order is kept by waiting for the last one.
        let last = Promise.resolve();
        const onEvent = (event: unknown) => {
          last = last.then(() => conformanceEvent(number, event));
        };
        conformanceStops.set(
          number,
          bench.listen(streamName, onEvent, (error) => void conformanceEnd(number, error)),
        );
      },
      [stream, name] as const,
    );
  }

  return {
    async call(name, input) {
      if (page.isClosed()) throw closed();
      return page.evaluate(([callName, value]) => (globalThis as unknown as PageWindow).bench.call(callName, value), [
        name,
        input,
      ] as const);
    },
    listen(name, onEvent, onEnd) {
      streamCount += 1;
      const stream = streamCount;
      listeners.set(stream, { onEvent, onEnd });
      const started = start(stream, name);
      return {
        [Symbol.dispose]: () => {
          if (!listeners.delete(stream)) return;
          const stop = (number: number) => (globalThis as unknown as PageWindow).conformanceStops.get(number)?.();
          void started.then(() => page.evaluate(stop, stream)).catch(() => {});
        },
      };
    },
  };
}

function closed(): BenchError {
  return new BenchError('transport/closed', 'The window is gone', { remedy: 'Open it from the tray.' });
}
