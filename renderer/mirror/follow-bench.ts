import type { BenchEvent } from '../../electron/contract/deltas.ts';
import { BenchError, toWireError } from '../../electron/contract/errors.ts';
import type { BenchClient } from '../../electron/contract/transport.ts';
import type { MirrorStore } from './mirror-store.ts';
import { type Mirrored, receive } from './receive.ts';

export interface FollowDeps {
  client: BenchClient;
  mirror: MirrorStore;
  /** Resolves after the time, or sooner when the user does not want to wait. */
  wait(durationMs: number, signal: AbortSignal): Promise<void>;
  /** Wall clock, in milliseconds since 1970. */
  now(): number;
}

const shortestBackOffMs = 250;
const longestBackOffMs = 5_000;

/** @param failureCount How often in a row it failed, from 1. */
export function backOffMs(failureCount: number): number {
  return Math.min(longestBackOffMs, shortestBackOffMs * 2 ** (failureCount - 1));
}

/** Why a stream ended, and whether it had brought anything that was new. */
interface StreamEnd {
  reason: 'gap' | BenchError;
  hadSnapshot: boolean;
}

/** Keeps the mirror equal to the core until `signal` aborts: listens, and listens again after a gap or a loss. */
export async function followBench(deps: FollowDeps, signal: AbortSignal): Promise<void> {
  let failureCount = 0;
  while (!signal.aborted) {
    const end = await listenOnce(deps, signal);
    if (end === null) return;
    // A gap right after a snapshot is mended by the next snapshot; only one without any would repeat itself.
    if (end.reason === 'gap' && end.hadSnapshot) continue;
    failureCount = end.hadSnapshot ? 1 : failureCount + 1;
    const pauseMs = backOffMs(failureCount);
    const error = toWireError(end.reason === 'gap' ? outOfOrder() : end.reason);
    deps.mirror.setState({ connection: { kind: 'lost', error, retryAt: deps.now() + pauseMs } });
    await deps.wait(pauseMs, signal);
  }
}

/** @returns Why the stream ended; null when `signal` aborted. */
async function listenOnce({ client, mirror }: FollowDeps, signal: AbortSignal): Promise<StreamEnd | null> {
  const end = Promise.withResolvers<StreamEnd | null>();
  let known: Mirrored | null = null;
  const finish = (reason: StreamEnd['reason']) => end.resolve({ reason, hadSnapshot: known !== null });
  const onAbort = () => end.resolve(null);
  signal.addEventListener('abort', onAbort, { once: true });
  const onEvent = (event: BenchEvent) => {
    const next = receive(known, event);
    if (next === 'gap') {
      finish('gap');
      return;
    }
    known = next;
    mirror.setState({ bench: next.state, connection: { kind: 'live' } });
  };
  using _stream = client.listen('bench.events', onEvent, finish);
  try {
    return await end.promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function outOfOrder(): BenchError {
  return new BenchError('transport/out-of-order', 'The bench sent a change before its state', {
    remedy: 'The window asks again by itself. If this stays, reload it.',
  });
}
