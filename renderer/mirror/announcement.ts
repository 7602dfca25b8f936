import type { BenchState, RunView } from '../../electron/contract/state.ts';
import { outcomeWord, phaseWord } from '../ui/words.ts';

/**
 * What a screen reader is told when the bench changes: runs that came, went on to another phase, or ended, and
 * whether the machine is lent. Growing traces and capacity are not worth a word.
 */
export function announcement(before: BenchState, after: BenchState): string {
  const sentences = Object.values(after.runsById)
    .filter((run) => before.runsById[run.id]?.phase !== run.phase)
    .map((run) => `${run.job.name}: ${phaseWord(run.phase).toLowerCase()}.`);
  const known = new Set(before.history.map((run) => run.id));
  const ended = after.history.filter((run) => !known.has(run.id)).map(endedSentence);
  const lending =
    before.lending.isLending === after.lending.isLending
      ? []
      : [after.lending.isLending ? 'Lending this machine.' : 'Not lending.'];
  return [...ended, ...sentences, ...lending].join(' ');
}

function endedSentence(run: RunView): string {
  if (run.phase !== 'finished') return `${run.job.name} ended.`;
  return `${run.job.name}: ${outcomeWord(run.outcome.state).toLowerCase()}.`;
}
