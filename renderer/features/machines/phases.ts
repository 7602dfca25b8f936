import { type RunPhase, type RunView, runPhases } from '../../../electron/contract/state.ts';
import { formatDuration } from '../../ui/format.ts';

/** One phase of a run as a stepper shows it. `skipped` is a phase that the run went past without being in it. */
export type PhaseStep =
  | { phase: RunPhase; state: 'done' | 'current'; durationMs: number }
  | { phase: RunPhase; state: 'coming' | 'skipped'; durationMs: null };

/** All phases but the last, in order, with how long each took. @param now Milliseconds since 1970. */
export function phaseSteps(run: RunView, now: number): PhaseStep[] {
  const lastMark = run.timeline.at(-1);
  const reached = lastMark === undefined ? -1 : runPhases.indexOf(lastMark.phase);
  return runPhases
    .filter((phase) => phase !== 'finished')
    .map((phase): PhaseStep => {
      const at = run.timeline.findIndex((mark) => mark.phase === phase);
      const mark = run.timeline[at];
      const next = run.timeline[at + 1];
      if (mark === undefined) {
        return { phase, state: runPhases.indexOf(phase) < reached ? 'skipped' : 'coming', durationMs: null };
      }
      if (next !== undefined) return { phase, state: 'done', durationMs: Math.max(0, next.at - mark.at) };
      return { phase, state: 'current', durationMs: Math.max(0, now - mark.at) };
    });
}

/** How long a run has been in its phase. */
export function phaseDurationMs(run: RunView, now: number): number {
  return Math.max(0, now - (run.timeline.at(-1)?.at ?? now));
}

/** From the reservation to now, or to the end of a finished run. */
export function runDurationMs(run: RunView, now: number): number {
  const first = run.timeline[0]?.at ?? now;
  const last = run.phase === 'finished' ? (run.timeline.at(-1)?.at ?? now) : now;
  return Math.max(0, last - first);
}

/** Why there is nothing in a trace yet. */
export function noOutputSentence(run: RunView, now: number): string {
  const since = formatDuration(phaseDurationMs(run, now));
  switch (run.phase) {
    case 'reserved':
      return `No output yet: room is reserved, GitLab has been asked for a job (${since})`;
    case 'accepted':
      return `No output yet: the job was accepted (${since})`;
    case 'preparing':
      return `No output yet: the machine is being prepared (${since})`;
    case 'booting':
      return `No output yet: the machine is booting (${since})`;
    case 'ready':
      return `No output yet: the machine is up, its runner has not asked for the job (${since})`;
    case 'running':
      return `No output yet: the job runs and has printed nothing (${since})`;
    case 'finishing':
      return `No output: the run is finishing (${since})`;
    case 'finished':
      return 'The job ended without any output.';
  }
}
