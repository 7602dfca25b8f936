/** Sizes in bytes and durations in milliseconds that the stand-in holds, GitLab's own where it has one. */
export const limits = {
  /** Workhorse refuses a longer `jobs/request` with 413. */
  jobRequestBodyBytes: 32 * 1024,
  jsonBodyBytes: 1024 * 1024,
  /** One PATCH of a trace; the official runner sends at most 1 MiB. */
  tracePatchBytes: 16 * 1024 * 1024,
  /** What is still read of a request that was answered early, before the connection is cut. */
  discardedBytes: 8 * 1024 * 1024,
  /** `jobs/request` and job update bodies up to this size are kept in the request log. */
  loggedBodyBytes: 32 * 1024,
  jobUpdates: 10_000,
  systemIdLength: 64,
  /** A running job is ended by the server this long after its own timeout. */
  timeoutGraceMs: 15 * 60_000,
  /** A running or canceling job that nobody updates for this long is ended (the shorter of the known values). */
  silenceMs: 30 * 60_000,
  /** A final update that is answered 202 is completed by force after this long. */
  acceptanceMs: 5 * 60_000,
  /** What a runner manager announces is stored again only after this long. */
  managerRefreshMs: 40 * 60_000,
  multipartHeaderBytes: 16 * 1024,
  multipartFieldBytes: 64 * 1024,
  multipartParts: 20,
} as const;
