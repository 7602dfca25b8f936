import { createContext, useContext } from 'react';
import { useStore } from 'zustand';
import type { BenchState } from '../../electron/contract/state.ts';
import type { BenchClient } from '../../electron/contract/transport.ts';
import type { MirrorState, MirrorStore } from './mirror-store.ts';

export interface Bench {
  client: BenchClient;
  mirror: MirrorStore;
  /** Cuts the wait before the next try to connect short. */
  retryNow(): void;
}

export const BenchContext = createContext<Bench | null>(null);

export function useBench(): Bench {
  const bench = useContext(BenchContext);
  if (bench === null) throw new Error('No bench above this component');
  return bench;
}

/** @param select Returns a part of the mirror that keeps its identity while it does not change. */
export function useMirror<T>(select: (mirror: MirrorState) => T): T {
  return useStore(useBench().mirror, select);
}

/** As `useMirror`, for what is only shown once a first snapshot is there. */
export function useBenchState<T>(select: (state: BenchState) => T): T {
  return useMirror(({ bench }) => {
    if (bench === null) throw new Error('Shown before the first snapshot');
    return select(bench);
  });
}

/** Whether the core hears us: nothing can be switched while it does not. */
export function useIsLive(): boolean {
  return useMirror(({ connection }) => connection.kind === 'live');
}
