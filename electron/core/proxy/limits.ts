const kib = 1024;
const mib = 1024 * kib;
const minuteMs = 60_000;

/** What one machine may make us hold, carry or wait for (protocol document 5.1 and 7.4). */
export interface ListenerLimits {
  connectionCount: number;
  /** Requests at once, over all connections. */
  inFlightCount: number;
  headerBytes: number;
  headerMs: number;
  /** Go keeps an idle connection for 90 s; a shorter wait on our side would race with its next request. */
  keepAliveMs: number;
  /** `jobs/request` and `runners/verify`. */
  requestBodyBytes: number;
  updateBodyBytes: number;
  patchBodyBytes: number;
  uploadBytes: number;
  /** No byte either way for this long ends a transfer; a small body must be here whole within it. */
  idleMs: number;
  transferMs: number;
  /** Until GitLab's answer begins, once it has the whole request. */
  answerMs: number;
  /** GitLab's answers to status updates and trace patches are read whole, and are short. */
  answerBodyBytes: number;
  /** Read and thrown away after an answer that came before the end of the request. */
  discardBytes: number;
  discardMs: number;
  /** After the end of a job: late duplicates still get GitLab's own answer. */
  graceMs: number;
}

export const defaultLimits: ListenerLimits = {
  connectionCount: 16,
  inFlightCount: 8,
  headerBytes: 16 * kib,
  headerMs: 20_000,
  keepAliveMs: 110_000,
  requestBodyBytes: 64 * kib,
  updateBodyBytes: 64 * kib,
  patchBodyBytes: 4 * mib,
  uploadBytes: 20 * 1024 * mib,
  idleMs: 5 * minuteMs,
  transferMs: 65 * minuteMs,
  answerMs: 10 * minuteMs,
  answerBodyBytes: 256 * kib,
  discardBytes: 64 * kib,
  discardMs: 2_000,
  graceMs: minuteMs,
};
