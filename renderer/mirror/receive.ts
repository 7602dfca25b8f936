import { applyDelta, type BenchEvent } from '../../electron/contract/deltas.ts';
import type { BenchState } from '../../electron/contract/state.ts';

/** A bench state and the number of the last event in it. */
export interface Mirrored {
  seq: number;
  state: BenchState;
}

/**
 * Takes the next event of a stream into the mirror.
 * @returns What is known then, or `gap` where an event is missing and the stream has to be begun anew.
 */
export function receive(known: Mirrored | null, event: BenchEvent): Mirrored | 'gap' {
  if (event.type === 'snapshot') return { seq: event.seq, state: event.state };
  if (known === null || event.seq !== known.seq + 1) return 'gap';
  return { seq: event.seq, state: applyDelta(known.state, event.delta) };
}
