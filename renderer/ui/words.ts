import type { Outcome, RunPhase } from '../../electron/contract/state.ts';

const phaseWords: Record<RunPhase, string> = {
  reserved: 'Reserved',
  accepted: 'Accepted',
  preparing: 'Preparing',
  booting: 'Booting',
  ready: 'Ready',
  running: 'Running',
  finishing: 'Finishing',
  finished: 'Finished',
};
export function phaseWord(phase: RunPhase): string {
  return phaseWords[phase];
}

const outcomeWords: Record<Outcome['state'], string> = { success: 'Passed', failed: 'Failed', canceled: 'Canceled' };
export function outcomeWord(state: Outcome['state']): string {
  return outcomeWords[state];
}
