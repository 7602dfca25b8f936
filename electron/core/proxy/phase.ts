/**
 * How far a run has come, as its listener sees it (protocol document 7.1). `booting` has nothing to hand over yet,
 * `offered` would, `running` has, `finishing` knows how the job ended, `closed` takes no connection any more.
 */
export type Phase = 'booting' | 'offered' | 'running' | 'finishing' | 'closed';

export type PhaseFact = 'job-offered' | 'handed-over' | 'runner-active' | 'job-over' | 'closed';

/** Pure. A fact that comes late, or twice, leaves the phase alone. */
export function nextPhase(phase: Phase, fact: PhaseFact): Phase {
  if (phase === 'closed') return 'closed';
  switch (fact) {
    case 'job-offered':
      return phase === 'booting' ? 'offered' : phase;
    case 'handed-over':
    case 'runner-active':
      return phase === 'offered' ? 'running' : phase;
    case 'job-over':
      return 'finishing';
    case 'closed':
      return 'closed';
  }
}

/** Whether requests about the job may pass. In `offered` they may: the answer with the job reached its machine then. */
export function isRelayOpen(phase: Phase): boolean {
  return phase === 'offered' || phase === 'running' || phase === 'finishing';
}
