import { BenchError } from '../../contract/errors.ts';

export type JobErrorCode =
  | 'jobs/ledger-unwritable'
  | 'jobs/ledger-in-use'
  | 'jobs/project-not-allowed'
  | 'jobs/native-steps'
  | 'jobs/deadline'
  | 'jobs/canceling-unanswered'
  | 'jobs/stopped-by-owner'
  | 'jobs/machine-ended'
  | 'jobs/bench-restarted'
  | 'jobs/bench-stopped';

export class JobError extends BenchError<JobErrorCode> {}
