import { BenchError } from '../../electron/contract/errors.ts';
import { type BenchHandlers, serve, type Transport } from '../../electron/contract/transport.ts';

/** Carries calls within one process. Disposal is the end of the carrier. */
export function createDirectTransport(handlers: BenchHandlers): Transport & Disposable {
  const server = serve(handlers);
  const streams = new Set<{ source: Disposable; onEnd: ((error: BenchError) => void) | undefined }>();
  let isClosed = false;
  return {
    async call(name, input) {
      if (isClosed) throw closed();
      return server.answer(name, input);
    },
    listen(name, onEvent, onEnd) {
      try {
        if (isClosed) throw closed();
        const stream = { source: server.open(name, onEvent), onEnd };
        streams.add(stream);
        return {
          [Symbol.dispose]: () => {
            if (streams.delete(stream)) stream.source[Symbol.dispose]();
          },
        };
      } catch (error) {
        if (!(error instanceof BenchError)) throw error;
        onEnd?.(error);
        return { [Symbol.dispose]: () => {} };
      }
    },
    [Symbol.dispose]: () => {
      isClosed = true;
      for (const { source, onEnd } of streams) {
        source[Symbol.dispose]();
        onEnd?.(closed());
      }
      streams.clear();
    },
  };
}

function closed(): BenchError {
  return new BenchError('transport/closed', 'The connection to the bench is gone', { remedy: 'Open it again.' });
}
