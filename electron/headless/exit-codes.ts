/** How `forrest-bench` ends. Part of its interface: units and scripts rely on it. */
export const exitCodes = {
  /** Done; for `run`: drained, nothing was cut off. */
  ok: 0,
  /** Something is wrong, and was printed. */
  failed: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** Another bench holds the state folder. */
  alreadyRunning: 3,
  /** A second SIGINT ended the drain. */
  interrupted: 130,
  /** A second SIGTERM ended the drain. */
  terminated: 143,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
