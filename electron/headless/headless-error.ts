import { BenchError } from '../contract/errors.ts';

export type HeadlessErrorCode =
  | 'headless/port-taken'
  | 'headless/cannot-listen'
  | 'headless/renderer-missing'
  | 'headless/already-running'
  | 'headless/not-running'
  | 'headless/path-too-long'
  | 'headless/file-exists'
  | 'headless/too-busy';

export class HeadlessError extends BenchError<HeadlessErrorCode> {}
