import type { LendingView } from '../../contract/state.ts';

/** What the decision looks at. */
export interface LendingFacts {
  /** The owner's switch. */
  isEnabled: boolean;
  /** True from the moment the app is told to end. */
  isDraining: boolean;
  /** Free bytes where overlays are written, and how many must stay free. */
  freeDiskBytes: number;
  keepFreeDiskBytes: number;
  /** What makes every run impossible, one sentence each: no QEMU, no image. */
  obstacles: readonly string[];
}

/** Whether a new job would be taken now; pure. Runs that have begun are never ended by it. */
export function decideLending(facts: LendingFacts): LendingView {
  const reasons: string[] = [];
  if (facts.isDraining) reasons.push('The bench is shutting down: it lets running jobs end.');
  if (!facts.isEnabled) reasons.push('Lending is switched off.');
  if (facts.freeDiskBytes < facts.keepFreeDiskBytes) {
    reasons.push(`Only ${gib(facts.freeDiskBytes)} of disk are free; ${gib(facts.keepFreeDiskBytes)} are kept free.`);
  }
  return {
    isEnabled: facts.isEnabled,
    isLending: reasons.length + facts.obstacles.length === 0,
    reasons: [...reasons, ...facts.obstacles],
  };
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
