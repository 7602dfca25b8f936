import { Check, CircleSlash, X } from 'lucide-react';
import type { Outcome } from '../../electron/contract/state.ts';
import { outcomeWord } from './words.ts';

const icons = { success: Check, failed: X, canceled: CircleSlash };
const tones = { success: 'good', failed: 'danger', canceled: 'neutral' };

/** How a run ended: told by word and sign, not by colour alone. */
export function OutcomeBadge({ state }: { state: Outcome['state'] }) {
  const Icon = icons[state];
  return (
    <span className={`badge tone-${tones[state]}`}>
      <Icon size={12} aria-hidden="true" />
      {outcomeWord(state)}
    </span>
  );
}
