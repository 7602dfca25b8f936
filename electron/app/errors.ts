import { BenchError } from '../contract/errors.ts';

export type AppErrorCode =
  /** A message that does not come from the main frame of our own page in a window of ours. */
  | 'app/foreign-sender'
  /** A message without the form the preload gives it. */
  | 'app/bad-message'
  /** More streams than a page of ours has use for. */
  | 'app/too-many-streams'
  /** Another bench, one without a window, works with the same state. */
  | 'app/already-running'
  /** A packaged file that is not there. */
  | 'app/missing-file'
  /** A command line that makes no sense. */
  | 'app/bad-argument';

export class AppError extends BenchError<AppErrorCode> {}
