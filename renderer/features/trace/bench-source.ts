import type { RunId } from '../../../electron/contract/ids.ts';
import type { BenchClient } from '../../../electron/contract/transport.ts';
import { bytesOfBase64 } from './slice-bytes.ts';
import type { ByteSource } from './trace-reader.ts';

/** What a run has written: its job's trace, or what its machine said on the serial line. */
export type TraceKind = 'trace' | 'console';

/** Reads a run's trace or console from the core, as much at once as the core gives. */
export function benchSource(client: BenchClient, kind: TraceKind, runId: RunId): ByteSource {
  const name = kind === 'trace' ? 'trace.read' : 'console.read';
  return {
    async read(fromByte) {
      const { base64, sizeBytes } = await client.call(name, { runId, fromByte });
      return { bytes: bytesOfBase64(base64), sizeBytes };
    },
  };
}
