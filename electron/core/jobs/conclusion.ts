import type { BenchError } from '../../contract/errors.ts';
import { toWireError } from '../../contract/errors.ts';
import type { Outcome } from '../../contract/state.ts';
import type { AcceptedJob } from '../gitlab/accepted-job.ts';
import { JobError } from './job-error.ts';

/** Why a job's life here is over; the first one that comes decides. */
export type Conclusion =
  /** The runner in the machine reported a final state and GitLab took it. */
  | {
      kind: 'reported';
      state: 'success' | 'failed';
      failureReason: string | null;
      exitCode: number | null;
      isCanceled: boolean;
    }
  /** GitLab does not take anything for this job any more. */
  | { kind: 'forbidden' }
  /** Canceled at GitLab before the machine had the job. */
  | { kind: 'canceled-early' }
  | { kind: 'failed'; error: BenchError };

/** What GitLab is told where no runner told it, or null where nothing is to be told (protocol document 4.3). */
export function reportFor(
  conclusion: Conclusion,
  job: Pick<AcceptedJob, 'failureReasons'>,
): { failureReason: string; message: string | null } | null {
  switch (conclusion.kind) {
    case 'reported':
    case 'forbidden':
      return null;
    case 'canceled-early':
      return { failureReason: 'job_canceled', message: null };
    case 'failed':
      return { failureReason: failureReason(conclusion.error, job.failureReasons), message: conclusion.error.message };
  }
}

/** GitLab's string for a failure of ours; newer ones only where this GitLab says that it knows them. */
function failureReason(error: BenchError, known: readonly string[]): string {
  const orSystem = (reason: string) => (known.includes(reason) ? reason : 'runner_system_failure');
  if (!(error instanceof JobError)) return 'runner_system_failure';
  switch (error.code) {
    case 'jobs/deadline':
      return 'job_execution_timeout';
    case 'jobs/stopped-by-owner':
    case 'jobs/bench-stopped':
      return orSystem('runner_interrupted');
    case 'jobs/native-steps':
    case 'jobs/project-not-allowed':
      return orSystem('runner_unsupported');
    case 'jobs/canceling-unanswered':
      return 'job_canceled';
    case 'jobs/ledger-unwritable':
    case 'jobs/ledger-in-use':
    case 'jobs/machine-ended':
    case 'jobs/bench-restarted':
      return 'runner_system_failure';
  }
}

/** The row of history: exactly one honest end, and why, in words. */
export function outcomeOf(conclusion: Conclusion, job: Pick<AcceptedJob, 'failureReasons'>): Outcome {
  switch (conclusion.kind) {
    case 'reported':
      return {
        state: conclusion.isCanceled ? 'canceled' : conclusion.state,
        failureReason: conclusion.failureReason,
        exitCode: conclusion.exitCode,
        why: reportedWhy(conclusion),
        error: null,
      };
    case 'forbidden':
      return ended('GitLab ended the job: it was canceled, erased, or timed out there.');
    case 'canceled-early':
      return ended('The job was canceled at GitLab before its machine was ready.');
    case 'failed':
      return {
        state: conclusion.error.code === 'jobs/canceling-unanswered' ? 'canceled' : 'failed',
        failureReason: reportFor(conclusion, job)?.failureReason ?? null,
        exitCode: null,
        why: conclusion.error.message,
        error: toWireError(conclusion.error),
      };
  }
}

function ended(why: string): Outcome {
  return { state: 'canceled', failureReason: 'job_canceled', exitCode: null, why, error: null };
}

function reportedWhy(conclusion: Extract<Conclusion, { kind: 'reported' }>): string {
  if (conclusion.isCanceled) return 'The job was canceled at GitLab; its runner ended it.';
  if (conclusion.state === 'success') return 'The job succeeded.';
  if (conclusion.failureReason === 'script_failure' || conclusion.failureReason === null) {
    return conclusion.exitCode === null
      ? 'The script failed.'
      : `The script failed with exit code ${conclusion.exitCode}.`;
  }
  return `The runner in the machine reported ${conclusion.failureReason}.`;
}
