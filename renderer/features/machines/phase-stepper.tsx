import type { RunView } from '../../../electron/contract/state.ts';
import { formatDuration } from '../../ui/format.ts';
import { phaseWord } from '../../ui/words.ts';
import { phaseSteps } from './phases.ts';

/** The phases of a run as a row of bars; with `hasLabels`, each with its name and the time it took. */
export function PhaseStepper({ run, now, hasLabels }: { run: RunView; now: number; hasLabels: boolean }) {
  const steps = phaseSteps(run, now);
  return (
    <ol className={hasLabels ? 'stepper stepper-labelled' : 'stepper'} aria-label="Phases of this run">
      {steps.map((step) => (
        <li
          key={step.phase}
          className={`step step-${step.state}`}
          aria-current={step.state === 'current' ? 'step' : undefined}
        >
          <span className="step-bar" />
          <span className={hasLabels ? 'step-label' : 'visually-hidden'}>
            {phaseWord(step.phase)}
            {step.durationMs !== null && <span className="step-time">{formatDuration(step.durationMs)}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}
