import { createStore, type StoreApi } from 'zustand/vanilla';
import type { WireError } from '../../electron/contract/errors.ts';
import type { BenchState } from '../../electron/contract/state.ts';

/** How the window and the core are connected. */
export type Connection =
  | { kind: 'connecting' }
  | { kind: 'live' }
  /** `retryAt` is wall clock, in milliseconds since 1970. */
  | { kind: 'lost'; error: WireError; retryAt: number };

/** What the window knows of the bench. After a loss the last known state stays, and says so. */
export interface MirrorState {
  bench: BenchState | null;
  connection: Connection;
}
export type MirrorStore = StoreApi<MirrorState>;

export function createMirrorStore(): MirrorStore {
  return createStore<MirrorState>(() => ({ bench: null, connection: { kind: 'connecting' } }));
}
