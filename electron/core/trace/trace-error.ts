import { BenchError } from '../../contract/errors.ts';

/**
 * - `trace/no-space`: the disk is full; the relay goes on without a local copy.
 * - `trace/write-failed`: the file could not be written for another reason.
 * - `trace/bad-run-id`: a run id that is none was to become a file name.
 */
export type TraceErrorCode = 'trace/no-space' | 'trace/write-failed' | 'trace/bad-run-id';

/** What the trace room throws. None of it may end a job: the trace itself is safe at GitLab. */
export class TraceError extends BenchError<TraceErrorCode> {}
