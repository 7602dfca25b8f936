import type { EpochMs, JobId } from '../../contract/ids.ts';
import type { JobView } from '../../contract/state.ts';

/** A job GitLab has handed to us: from then on it is running, for GitLab (protocol document 2). */
export interface AcceptedJob {
  id: JobId;
  /** The job token: authenticates status, trace and artifacts of this job. */
  token: string;
  /** The body of the 201 as it came, byte for byte. */
  payload: Uint8Array;
  view: JobView;
  /** When the 201 had arrived, by the wall clock; GitLab counts the timeout from here. */
  receivedAt: EpochMs;
  /** The effective timeout in seconds; already replaced by our default where GitLab sent none. */
  timeoutSeconds: number;
  /** Whose artifacts it may fetch, and with which token (protocol document 5.4). */
  dependencies: readonly { id: JobId; token: string }[];
  /** Where git clones from, with credentials removed; null where it is no http(s) URL of the expected form. */
  cloneUrl: string | null;
  /** GitLab's failure reasons that this server knows. */
  failureReasons: readonly string[];
  /** True for native steps (`run:`), which not every runner executes (protocol document 6.5). */
  hasNativeSteps: boolean;
}
