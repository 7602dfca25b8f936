import type { TraceError } from '../trace/trace-error.ts';
import type { GuestRunnerInfo } from './runner-requests.ts';

/** What a listener has seen: facts, in the order they came about. Those marked `Once` come at most once a listener. */
export type ListenerEvent =
  /** Once: the machine made its first request, of whatever kind. */
  | { kind: 'guest-seen' }
  /** The runner asked for a job with the right token; `info` is null where it could not be understood. */
  | { kind: 'runner-asked'; info: GuestRunnerInfo | null }
  /** Once: the last byte of the job was flushed to the machine, or its runner acts on it already. */
  | { kind: 'handed-over' }
  /** Once: GitLab answered the runner's first authorised request, so the runner keeps the job alive from here. */
  | { kind: 'job-active' }
  /** The local trace has grown to this size. */
  | { kind: 'trace-acknowledged'; totalBytes: number }
  /** Once: GitLab told the runner that the job is to be canceled. A local stop does not count. */
  | { kind: 'job-canceling' }
  /** GitLab answered a status update of the runner with `status`; whether it took it, `job-closed` says. */
  | {
      kind: 'job-updated';
      state: string;
      failureReason: string | null;
      exitCode: number | null;
      status: number;
    }
  /**
   * Once: the job is over for GitLab. `final-200`: it took the runner's final state. `forbidden`: it refused a request
   * because the job does not run any more, so `state` is null; `jobStatus` is what GitLab said it is, where it did.
   */
  | {
      kind: 'job-closed';
      how: 'final-200' | 'forbidden';
      state: 'success' | 'failed' | null;
      failureReason: string | null;
      exitCode: number | null;
      jobStatus: string | null;
    }
  /**
   * A request was answered here: refused, or not answered by GitLab (502, 503). Status 0 is a connection that was not
   * taken. After the first 50 of a run only every hundredth is told.
   */
  | { kind: 'refused'; route: string; status: number; why: string; count: number }
  /** The local copy of the trace is not complete any more; the job is not affected. Once per series of failures. */
  | { kind: 'trace-degraded'; error: TraceError };
