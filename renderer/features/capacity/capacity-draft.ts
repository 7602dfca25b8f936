import type { WireError } from '../../../electron/contract/errors.ts';
import type { Resources } from '../../../electron/contract/state.ts';

/** What the sliders show beside what the core says: what is being dragged, and what was sent and not confirmed yet. */
export type CapacityDraft =
  | { kind: 'none' }
  | { kind: 'dragging'; wanted: Resources }
  /** Sent; `attempt` tells a late answer of an older change from the answer of this one. */
  | { kind: 'saving'; wanted: Resources; attempt: number }
  /** Answered; the core's own word of it is on its way. */
  | { kind: 'settling'; wanted: Resources }
  /** Refused: the sliders are back where the core has them. */
  | { kind: 'failed'; error: WireError };

export type DraftEvent =
  | { kind: 'dragged'; wanted: Resources }
  | { kind: 'sent'; wanted: Resources; attempt: number }
  | { kind: 'saved'; attempt: number }
  | { kind: 'refused'; attempt: number; error: WireError }
  /** What the core lends, as it last said; sent when it says so, and when it had time enough to. */
  | { kind: 'mirrored'; lent: Resources };

export function nextDraft(draft: CapacityDraft, event: DraftEvent): CapacityDraft {
  switch (event.kind) {
    case 'dragged':
      // The slider reports a key press as let go first and as moved after: what was sent is no longer dragged.
      if (draft.kind === 'saving' && isSame(draft.wanted, event.wanted)) return draft;
      return { kind: 'dragging', wanted: event.wanted };
    case 'sent':
      return { kind: 'saving', wanted: event.wanted, attempt: event.attempt };
    case 'saved':
      return draft.kind === 'saving' && draft.attempt === event.attempt
        ? { kind: 'settling', wanted: draft.wanted }
        : draft;
    case 'refused':
      return draft.kind === 'saving' && draft.attempt === event.attempt
        ? { kind: 'failed', error: event.error }
        : draft;
    case 'mirrored':
      // Once the answer is there, whatever the core says is the truth, also when it is not what was asked for.
      return draft.kind === 'settling' ? { kind: 'none' } : draft;
  }
}

/** What the sliders show. */
export function shownLent(lent: Resources, draft: CapacityDraft): Resources {
  switch (draft.kind) {
    case 'none':
    case 'failed':
      return lent;
    case 'dragging':
    case 'saving':
    case 'settling':
      return draft.wanted;
  }
}

function isSame(one: Resources, other: Resources): boolean {
  const { cpus, memoryBytes, diskBytes, slotCount } = other;
  return (
    one.cpus === cpus && one.memoryBytes === memoryBytes && one.diskBytes === diskBytes && one.slotCount === slotCount
  );
}
